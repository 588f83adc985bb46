package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

// schema is what is known of the database, from the migrations that were read
// so far. What is not in it may exist all the same.
type schema struct {
	// journal is written by all that changes what is known.
	journal   *journal
	tables    map[string]*table
	indexes   map[string]*index
	functions map[string]statement.Code
	// domains are types that check what is written.
	domains map[string]bool
	// made are the other objects that what is judged has made, by kind and name.
	made map[string]bool
	// gone are the objects of any kind that were dropped, and not made again.
	gone map[string]bool
	// mentioned are the words of all that was read; supposes tells that there
	// are tables that are supposed to be old.
	mentioned map[string]bool
	supposes  bool
	// path is the schema in which names without one are.
	path string
	// judging: what is applied belongs to the release that is judged, so the
	// old version doesn't know what it makes.
	judging bool
}

// table is a table that a migration has made or spoken of.
type table struct {
	name string
	// fresh: what is judged has made it, so that the old version knows
	// nothing of it.
	fresh bool
	// supposed: it may have been there before, but only IF NOT EXISTS says so.
	supposed bool
	// whole: every column that it has was read.
	whole   bool
	columns map[string]*column
	// proofs are the columns that a CHECK proves to be never null, by its
	// name, and whether it was validated.
	proofs map[string]*proof
	// demands are the constraints that what is judged has added, by their names, or by
	// where they stand.
	demands map[string]statement.Constraint
	// behind is the name that the table had before it was renamed, where a
	// view of that name was made together with that.
	behind statement.Name
}

type column struct {
	typ       statement.Type
	collation statement.Name
	known     bool // whether the two are
	fresh     bool
	notNull   bool
	filled    bool // whether it has a default
	// empty: the rows that were there when it was added have null in it.
	empty bool
	// usual is that default, nil where it is none that is written down.
	usual statement.Expression
	// computed of other columns, as a generated one is.
	computed bool
	// supposed is what IF NOT EXISTS makes of it, in the release that is judged:
	// the database may hold another one.
	supposed *column
}

type proof struct {
	column    string
	validated bool
	// fresh: what is judged has added it, so the old version doesn't live
	// with it yet.
	fresh bool
}

// defaulting is a column once it has another default, or none.
func (c column) defaulting(usual statement.Expression) column {
	c.filled, c.usual = usual != nil && !usual.IsNull(), usual
	return c
}

type index struct {
	table   string
	columns []string
	unique  bool
	// fresh: what is judged has made it.
	fresh bool
}

// usualPath is the schema in which names without one are where nobody says.
const usualPath = "public"

func newSchema() *schema {
	return &schema{
		journal: &journal{},
		tables:  map[string]*table{}, indexes: map[string]*index{}, functions: map[string]statement.Code{},
		domains: map[string]bool{}, made: map[string]bool{}, gone: map[string]bool{}, mentioned: map[string]bool{}, path: usualPath,
	}
}

// key is the name under which an object is kept.
func (s *schema) key(name statement.Name) string {
	if name.Schema == "" {
		name.Schema = s.path
	}
	return name.String()
}

// table is what is known of a table, to be read.
func (s *schema) table(name statement.Name) *table {
	if known := s.tables[s.key(name)]; known != nil {
		return known
	}
	return &table{name: name.String()}
}

// newTable is a table of which nothing but its name is known.
func newTable(name statement.Name) *table {
	return &table{name: name.String(), columns: map[string]*column{}, proofs: map[string]*proof{}, demands: map[string]statement.Constraint{}}
}

// record is what is known of a table, to be written to. It begins with the
// table's name alone.
func (s *schema) record(name statement.Name) *table {
	key := s.key(name)
	if s.tables[key] == nil {
		put(s.journal, s.tables, key, newTable(name))
	}
	return s.tables[key]
}

// column is what is known of a column, to be read.
func (t *table) column(name string) *column {
	if known := t.columns[name]; known != nil {
		return known
	}
	return &column{}
}

// columnRecord is what is known of a column, to be written to.
func (s *schema) columnRecord(table statement.Name, name string) *column {
	columns := s.record(table).columns
	if columns[name] == nil {
		put(s.journal, columns, name, &column{})
	}
	return columns[name]
}

// proven is the proof that a column is never null, nil for none.
func (t *table) proven(name string) *proof {
	for _, one := range t.proofs { // none is better than another
		if one.column == name && one.validated {
			return one
		}
	}
	return nil
}

// settle ends the release that was judged: what it made is old to the next.
func (s *schema) settle() {
	for _, table := range s.tables {
		table.fresh, table.supposed, table.behind = false, false, statement.Name{}
		for _, column := range table.columns {
			column.settle()
		}
		for _, proof := range table.proofs {
			proof.fresh = false
		}
	}
	for _, index := range s.indexes {
		index.fresh = false
	}
	clear(s.made)
	s.supposes = false
}

// settle makes a column old, and takes it to be what the migrations say, as all
// that was applied before.
func (c *column) settle() {
	if c.supposed != nil && !c.known {
		*c = *c.supposed
	}
	c.fresh, c.supposed = false, nil
}
