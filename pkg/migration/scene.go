package migration

import (
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// scene is what a rule looks at: one change, and what is known when it is made.
type scene struct {
	version Version
	// supposing that IF NOT EXISTS found no table that nothing speaks of.
	supposing bool
	schema    *schema
	session   *session
	statement *statement.Statement
	// text is the statement as it may be told, with its semicolon.
	text   func() string
	change statement.Change
	// remadeLater is what makes an object again, of what follows the change and
	// is committed together with it, nil for nothing.
	remadeLater func(key string) statement.Action
	// dropped are the indexes that the section has dropped before, which a retry
	// of it drops again.
	dropped map[string]bool
	// transaction is what the change is committed with, nil where it is
	// committed alone.
	transaction *transaction
}

// fresh reports whether the old version can't know the table, because what is
// judged has made it.
func (s *scene) fresh(name statement.Name) bool {
	known := s.schema.tables[s.schema.key(name)]
	return known != nil && (known.fresh || s.supposing && known.supposed)
}

// freshColumn reports whether the old version can't know the column.
func (s *scene) freshColumn(name statement.Name, column string) bool {
	known := s.schema.tables[s.schema.key(name)]
	return known != nil && (s.fresh(name) || known.columns[column] != nil && known.columns[column].fresh)
}

// freshObject reports whether what is judged has made the object.
func (s *scene) freshObject(kind string, name statement.Name) bool {
	return s.freshNamed(statement.Object{Kind: kind, Name: name})
}

// freshNamed reports whether what is judged has made the object that a statement
// names. A view and a sequence are spoken of as tables too.
func (s *scene) freshNamed(object statement.Object) bool {
	if object.Kind == "table" {
		return s.fresh(object.Name) || s.freshObject("view", object.Name) || s.freshObject("sequence", object.Name)
	}
	return s.schema.made[s.schema.named(object)]
}

// remade reports whether an object is made again by what is committed together
// with the change.
func (s *scene) remade(object statement.Object) bool {
	return s.remadeLater(s.schema.named(object)) != nil
}

// viewed is the view that takes the old name of a table, together with the
// change that takes the name away.
func (s *scene) viewed(name statement.Name) (view statement.CreateView, is bool) {
	view, is = s.remadeLater(s.schema.named(statement.Object{Kind: "view", Name: name})).(statement.CreateView)
	return view, is
}

// spoken is a table's key as people say it.
func spoken(key string) string { return strings.TrimPrefix(key, "public.") }

// compact is text on one line, cut where it gets long.
func compact(text string) string {
	const longest = 100
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > longest {
		return string(line[:longest-1]) + "…"
	}
	return string(line)
}
