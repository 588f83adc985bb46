package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// Trial is what PostgreSQL did when the migrations were applied in a scratch
// database.
type Trial struct {
	// Server is PostgreSQL's version.
	Server     string     `json:"server"`
	Statements []Observed `json:"statements"`
	// Queries counts those of the old version that were tried, Executed those
	// of them that could be run and not only prepared.
	Queries  int `json:"queries,omitempty"`
	Executed int `json:"executed,omitempty"`
	// Refused is the migration that PostgreSQL did not take all of, so that no
	// query was tried after it, "" for none.
	Refused string `json:"refused,omitempty"`
	// Broken are queries that don't work any more, or could not be tried.
	Broken []BrokenQuery `json:"broken,omitempty"`
	// Leftover are scratch databases of former trials that are still there.
	Leftover []string `json:"leftover,omitempty"`
}

// Observed is what one statement did.
type Observed struct {
	File string `json:"file"`
	statement.Position
	// Locks are those that it, or its transaction so far, held of tables that
	// the old version knows and that make others wait.
	Locks []ObservedLock `json:"locks,omitempty"`
	// Rewritten are such tables that it wrote anew.
	Rewritten []string `json:"rewritten,omitempty"`
	// Refused is why PostgreSQL refused it, "" where it did not.
	Refused string `json:"refused,omitempty"`

	Statement statement.Statement `json:"-"`
}

// ObservedLock is the strongest lock of a table.
type ObservedLock struct {
	Table string `json:"table"`
	Mode  string `json:"mode"`
}

// BrokenQuery is a query of the old version.
type BrokenQuery struct {
	File string `json:"file"`
	statement.Position
	Name string `json:"name,omitempty"`
	// Problem is what went wrong, with PostgreSQL's words.
	Problem string `json:"problem"`
	// Untried: it did not work before the migrations either, or stands for all
	// that were not tried after them.
	Untried bool                `json:"untried,omitempty"`
	Text    statement.Statement `json:"-"`
}

// String says what was seen, "" for nothing worth a word.
func (o Observed) String() string {
	if o.Refused != "" {
		return "refused: " + o.Refused
	}
	var parts []string
	for _, lock := range o.Locks {
		parts = append(parts, lock.Mode+" of "+lock.Table)
	}
	for _, table := range o.Rewritten {
		parts = append(parts, table+" written anew")
	}
	return strings.Join(parts, ", ")
}

// The rules that a trial alone finds something by.
const (
	ruleRefused      = "refused"
	ruleQueryBreaks  = "query-breaks"
	ruleQueryUntried = "query-untried"
	ruleRewrite      = "rewrite-table"
)

func refusedByServer() Rule {
	return Rule{
		ID: ruleRefused, Class: MakesWait, Title: "PostgreSQL refuses",
		Why:    "Applied in a scratch database (--against) it fails, so it would fail where it counts, half applied or with its locks held until then.",
		Remedy: "mend it, or give the scratch database what it needs with --schema",
		Source: "the server itself, by db migrations --against",
	}
}

func queryBreaks() Rule {
	return Rule{
		ID: ruleQueryBreaks, Class: BreaksAtOnce, Title: "breaks a query that the old version runs",
		Why: "A query of --queries worked before the migrations and fails after them: at once, or, prepared before, with \"cached plan must not change result type\", " +
			"once a connection, and inside a transaction that is lost with it.",
		Remedy: "take the change apart: first a release that no longer needs what changes, then the change",
		Source: "the server itself, by db migrations --against and --queries",
	}
}

func queryUntried() Rule {
	return Rule{
		ID: ruleQueryUntried, Class: NeedsReview, Level: Block, Title: "a query could not be tried with",
		Why:    "A query of --queries did not work before the migrations either, or one of these was refused, so that no query was tried after it: nobody can say whether they break it.",
		Remedy: "mend what was refused; give the scratch database the old version's schema with --schema, or by naming the folder of the migrations before",
		Source: "a check never guesses",
	}
}

// Add puts what a trial saw beside what was read: a finding is told what its
// statement did, and what reading alone did not find becomes one. The rules, levels
// and acknowledgements are those of the report.
func (r *Report) Add(trial *Trial, rules []Rule, options Options) {
	r.Trial = trial
	w := &walk{rules: rules, options: options, report: r}
	for index, observed := range trial.Statements {
		until := statement.Position{Line: 1 << 30}
		if index+1 < len(trial.Statements) && trial.Statements[index+1].File == observed.File {
			until = trial.Statements[index+1].Position
		}
		for i := range r.Findings {
			if finding := &r.Findings[i]; finding.File == observed.File && !before(finding.Position, observed.Position) && before(finding.Position, until) {
				finding.Observed = observed.String()
			}
		}
		w.observed(observed, until)
	}
	for _, query := range trial.Broken {
		finding := Finding{Rule: ruleQueryBreaks, Position: query.Position, Problem: query.named() + query.Problem}
		if query.Untried {
			finding.Rule = ruleQueryUntried
		}
		w.seen(query.File, query.Text, finding.breaks("the old version runs it"))
	}
	r.finish()
}

func (q BrokenQuery) named() string {
	if q.Name == "" {
		return "the query "
	}
	return "query " + q.Name + " "
}

// observed tells what reading did not find.
func (w *walk) observed(observed Observed, until statement.Position) {
	if observed.Refused != "" {
		w.seen(observed.File, observed.Statement, Finding{Rule: ruleRefused, Position: observed.Position, Problem: "PostgreSQL refuses it: " + observed.Refused}.
			breaks("the migration stops there, and what stands behind it was not tried"))
	}
	for _, table := range observed.Rewritten {
		known := slices.ContainsFunc(w.report.Findings, func(f Finding) bool {
			return f.File == observed.File && (f.Rule == ruleRewrite || f.Rule == "truncate" || f.Rule == "change-type") && !before(f.Position, observed.Position) && before(f.Position, until)
		})
		if !known {
			w.seen(observed.File, observed.Statement, Finding{Rule: ruleRewrite, Position: observed.Position, Problem: fmt.Sprintf("%s was written anew", table)}.
				breaks("both versions wait for as long as that takes"))
		}
	}
}

// seen adds a finding of a trial.
func (w *walk) seen(file string, read statement.Statement, finding Finding) {
	(&part{walk: w, file: file, seen: map[string]bool{}}).teller(&read).tell(finding)
}

// before reports whether a position comes before another in one file.
func before(a, b statement.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// Begun reports whether the tool begins a transaction around a section.
func Begun(section dialect.Section, statements []statement.Statement) bool {
	return begun(section, statements)
}

// RunsAlone reports whether PostgreSQL refuses a statement inside a transaction.
func RunsAlone(read statement.Statement) bool { return slices.ContainsFunc(read.Changes, refused) }
