package migration

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// work is what a change does to every row of a table while it holds its lock.
type work int

const (
	noWork work = iota
	scans
	builds // an index, which takes a scan and a sort
	rewrites
)

// volatile reports whether an expression may give another value for each row,
// so that a new column with it is written into every row. What is not known to
// be stable counts as volatile; the source is pg_proc.provolatile.
func volatile(expression statement.Expression) bool {
	for _, called := range expression.Calls() {
		if !slices.Contains(stableFunctions(), called) {
			return true
		}
	}
	return false
}

func stableFunctions() []string {
	return strings.Fields(`now transaction_timestamp statement_timestamp current_setting timezone date_trunc make_interval make_date
		make_timestamp make_timestamptz to_timestamp to_date to_char to_number age extract date_part lower upper initcap length concat
		concat_ws format replace substring substr trim btrim ltrim rtrim lpad rpad left right repeat md5 encode decode abs ceil floor
		round trunc power sqrt mod jsonb_build_object json_build_object jsonb_build_array json_build_array to_json to_jsonb
		array_fill string_to_array int4range int8range numrange tsrange tstzrange daterange point txid_current current_user
		current_schema current_database inet_client_addr pg_backend_pid hashtext array_append quote_literal`)
}

// columnWork is what adding a column does to the rows that are there.
func (s *scene) columnWork(column statement.Column) (work, string) {
	switch {
	case column.Type.IsSerial():
		return rewrites, column.Type.Name + " takes a number from a sequence for every row"
	case column.Identity:
		return rewrites, "an identity takes a number from a sequence for every row"
	case column.Generated != nil && !column.Virtual:
		return rewrites, "a stored generated column is computed for every row"
	case column.Default != nil && volatile(column.Default):
		return rewrites, "the default " + column.Default.String() + " may differ for every row, so each is written"
	case s.schema.domains[column.Type.Name]:
		return rewrites, "a domain's checks are run for every row"
	}
	for _, constraint := range column.Constraints {
		switch constraint.Kind {
		case statement.Unique, statement.PrimaryKey:
			return builds, "its index is built while nobody can read or write"
		case statement.Check:
			return scans, "every row is checked while nobody can read or write"
		case statement.ForeignKey:
			if column.Default != nil && !column.Default.Mentions("null") {
				return scans, "every row is looked up in " + constraint.References.String() + " while nobody can write"
			}
		}
	}
	return noWork, ""
}

// constraintWork is what adding a constraint does to the rows that are there.
func constraintWork(constraint statement.Constraint) (work, string) {
	if constraint.NotValid || constraint.NotEnforced || constraint.UsingIndex != "" {
		return noWork, ""
	}
	switch constraint.Kind {
	case statement.Unique, statement.PrimaryKey, statement.Exclude:
		return builds, "its index is built while nobody can read or write"
	case statement.ForeignKey:
		return scans, "every row is looked up in " + constraint.References.String() + " while nobody can write to either table"
	default:
		return scans, "every row is checked while nobody can read or write"
	}
}

// conversion is what becomes of rows when a column's type changes.
type conversion struct {
	work work
	// widens: everything that the old type held is the same in the new one.
	widens bool
	why    string
}

// convert is what becomes of a column that changes its type, or the order in
// which its texts stand. One whose type is not known converts as badly as any may.
func (c *column) convert(action statement.AlterType) conversion {
	if !c.known {
		return conversion{work: rewrites, why: "the type before is not known from the migrations that were read, and most changes write every row anew"}
	}
	converted := convert(c.typ, action.Type, action.Using != nil)
	if converted.work == noWork && c.collation != action.Collation {
		return conversion{work: builds, why: "texts get another order, and every index of the column is built again"}
	}
	return converted
}

// convert compares two types.
func convert(from, to statement.Type, using bool) conversion {
	switch {
	case using:
		return conversion{work: rewrites, why: "USING computes every row anew"}
	case from.Array != to.Array:
		return conversion{work: rewrites, why: "every row is written anew"}
	case isText(from) && isText(to):
		if longest(to) == 0 || longest(from) != 0 && longest(from) <= longest(to) {
			return conversion{widens: true}
		}
		return conversion{work: rewrites, why: "a shorter text is cut or refused, row by row"}
	case from.Name == "numeric" && to.Name == "numeric":
		if widerNumber(from, to) {
			return conversion{widens: true}
		}
		return conversion{work: rewrites, why: "every number is rounded anew"}
	case from.String() == to.String():
		return conversion{widens: true}
	default:
		return conversion{work: rewrites, why: "every row is written anew, and every index of the column is built again"}
	}
}

func isText(t statement.Type) bool {
	return t.Name == "text" || t.Name == "character varying"
}

// longest is how many characters a type of text holds, 0 for any number.
func longest(t statement.Type) int {
	if len(t.Modifiers) == 0 {
		return 0
	}
	return number(t.Modifiers[0])
}

func widerNumber(from, to statement.Type) bool {
	if len(to.Modifiers) == 0 {
		return true
	}
	if len(from.Modifiers) == 0 {
		return false
	}
	return number(to.Modifiers[0]) >= number(from.Modifiers[0]) && scale(to) == scale(from)
}

func scale(t statement.Type) int {
	if len(t.Modifiers) < 2 {
		return 0
	}
	return number(t.Modifiers[1])
}

func number(text string) int {
	value := 0
	for _, char := range text {
		if char < '0' || char > '9' {
			return 0
		}
		value = min(value*10+int(char-'0'), 1<<30)
	}
	return value
}
