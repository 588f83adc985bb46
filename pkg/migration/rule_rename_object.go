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
			object, to := movedObject(s.change.Action)
			if object.Kind == "" || s.freshNamed(object) {
				return nil
			}
			return one(s.found("%s %s becomes %s", object.Kind, object.Name, to).
				breaks("whatever of the old version uses the old name fails at once, and so does a rollback"))
		},
	}
}

// movedObject is what gets another name and is neither a table nor a column, of
// no kind where the action moves none.
func movedObject(action statement.Action) (object statement.Object, to string) {
	switch action := action.(type) {
	case statement.Rename:
		switch action.Kind {
		case "table", "column", "index", "constraint", "publication", "subscription", "server", "statistics", "event trigger":
			return object, ""
		case "enum value", "attribute":
			return statement.Object{Kind: action.Kind, Name: statement.Name{Schema: action.Object.Name, Name: action.Part}}, action.To
		}
		return action.Named(), action.To
	case statement.SetSchema:
		if action.Kind != "table" {
			return action.Named(), action.Schema + "." + action.Object.Name
		}
	}
	return object, ""
}
