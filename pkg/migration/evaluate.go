package migration

import (
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Options are what the outcome depends on besides the files.
type Options struct {
	Version Version
	// Levels override the rules' own, by their ids.
	Levels map[string]Level
	// OnlyNamed: also where no migration is Named, no other one is judged.
	OnlyNamed bool
}

// Evaluate judges migrations in their order. Where some are Named, those are
// one release, and the others were applied before it; where none is, each file
// is judged as a release of its own, for which of them were applied isn't known.
// The error is what is wrong with the acknowledgements in the files.
func Evaluate(migrations []dialect.Migration, rules []Rule, options Options) (*Report, error) {
	named := options.OnlyNamed || slices.ContainsFunc(migrations, func(m dialect.Migration) bool { return m.Named })
	schema := newSchema()
	walk := &walk{rules: rules, options: options, schema: schema, session: newSession(schema.journal), report: &Report{PostgreSQL: options.Version.String()}}
	for _, migration := range migrations {
		if named && !migration.Named {
			walk.remember(migration)
			continue
		}
		walk.report.Files = append(walk.report.Files, File{Path: migration.Path, Dialect: migration.Dialect})
		walk.judge(migration)
		if !named {
			walk.schema.settle()
		}
	}
	if len(walk.problems) > 0 {
		return nil, walk.problems
	}
	walk.report.finish()
	return walk.report, nil
}

// walk goes through migrations, statement by statement.
type walk struct {
	rules    []Rule
	options  Options
	schema   *schema
	session  *session
	undo     *undo
	report   *Report
	problems release.Problems
}

// remember applies a migration that isn't judged.
func (w *walk) remember(migration dialect.Migration) {
	w.report.Context = append(w.report.Context, migration.Path)
	w.schema.judging = false
	for _, section := range migration.Sections {
		statements := statement.Split(section.Text)
		w.begin(section, statements)
		for _, read := range statements {
			w.schema.mention(read.Text)
			for _, change := range w.unfold(read).changes {
				if action, is := change.Action.(statement.Transaction); is {
					w.undo.controls(action, isMessage(section, statements))
				}
				w.schema.apply(change)
			}
		}
	}
}

func (w *walk) judge(migration dialect.Migration) {
	w.schema.judging = true
	if !migration.Session {
		w.session = newSession(w.schema.journal)
	}
	for _, section := range migration.Sections {
		statements := statement.Split(section.Text)
		part := &part{walk: w, file: migration.Path, seen: map[string]bool{}, dropped: map[string]bool{}}
		part.message = isMessage(section, statements)
		w.begin(section, statements)
		part.open = part.begins()
		if begun(section, statements) {
			part.open = newTransaction()
			part.open.whole = true
		}
		part.makings = w.makings(statements)
		for i := range statements {
			w.report.Statements++
			part.number = i
			part.statement(&statements[i])
		}
		part.end(section, statements)
		w.session.local = map[string]string{}
	}
}

// unfolded is a statement with the changes of the code that it runs.
type unfolded struct {
	changes []statement.Change
	// unread are the statements of that code that could not be read.
	unread []statement.Statement
	// called are the functions that it has called: what one does again is
	// judged already, and functions that call each other twice would do it
	// without end.
	called map[string]bool
}

// deepest bounds how deep functions call each other.
const deepest = 8

// unfold replaces DO, and calls of functions that the migrations define, by
// what they do.
func (w *walk) unfold(read statement.Statement) unfolded {
	result := unfolded{called: map[string]bool{}}
	w.unfoldInto(&result, read, statement.Position{}, 0)
	return result
}

// unfoldInto adds what a statement does that stands in a branch of the code
// around it.
func (w *walk) unfoldInto(result *unfolded, read statement.Statement, branch statement.Position, depth int) {
	if read.Unread != "" {
		result.unread = append(result.unread, read)
	}
	for _, change := range read.Changes {
		if !change.Conditional() {
			change.Branch = branch
		}
		result.changes = append(result.changes, change)
		if depth >= deepest {
			continue
		}
		within := change.Branch
		if call, is := change.Action.(statement.Data); is && !call.Surely && !change.Conditional() {
			within = change.At
		}
		for _, code := range w.runs(change.Action, result.called) {
			for _, inner := range code.Statements {
				w.unfoldInto(result, inner, within, depth+1)
			}
		}
	}
}

// runs is the code that an action runs at once, and that none before it called.
func (w *walk) runs(action statement.Action, called map[string]bool) []statement.Code {
	switch action := action.(type) {
	case statement.Do:
		return []statement.Code{action.Code}
	case statement.Data:
		var codes []statement.Code
		for _, name := range action.Calls {
			if code, known := w.schema.functions[name]; known && !called[name] {
				called[name] = true
				codes = append(codes, code)
			}
		}
		return codes
	}
	return nil
}
