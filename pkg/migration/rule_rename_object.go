package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func renameObject() Rule {
	return Rule{
		ID: "rename-object", Class: BreaksAtOnce, Title: "renames or moves a view, function, type, sequence, schema or enum value",
		Why:    "The old version uses the old name: in a query, a call, a cast, or as the value that it writes.",
		Remedy: "make one of the new name beside it, and drop the old one in a later release; leave the values of an enum as they are",
		Source: "common to linters of migrations; atlas BC101",
		Old:    "SELECT id, total FROM open_orders",
		Bad:    "ALTER VIEW open_orders RENAME TO pending_orders;",
		Good:   "CREATE VIEW pending_orders AS SELECT id, total FROM orders WHERE state = 'new';",
		Examine: func(s *scene) []Finding {
			kind, from, to := movedObject(s.change.Action)
			if kind == "" || s.freshObject(kind, from) {
				return nil
			}
			return one(s.found("%s %s becomes %s", kind, from, to).
				breaks("whatever of the old version uses the old name fails at once, and so does a rollback"))
		},
	}
}

// movedObject is what gets another name and is neither a table nor a column.
func movedObject(action statement.Action) (kind string, from statement.Name, to string) {
	switch action := action.(type) {
	case statement.Rename:
		switch action.Kind {
		case "table", "column", "index", "constraint", "publication", "subscription", "server", "statistics", "event trigger":
			return "", from, ""
		case "enum value", "attribute":
			return action.Kind, statement.Name{Schema: action.Object.Name, Name: action.Part}, action.To
		}
		return action.Kind, action.Object, action.To
	case statement.SetSchema:
		if action.Kind != "table" {
			return action.Kind, action.Object, action.Schema + "." + action.Object.Name
		}
	}
	return "", from, ""
}
