package migration

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func newTrigger() Rule {
	return Rule{
		ID: "new-trigger", Class: NeedsReview, Title: "makes or drops a trigger or a rule on a table of the old version",
		Why:    "It runs inside the old version's own writes: what it costs, and what it refuses, hits both versions.",
		Remedy: "see that it does nothing that the old version's writes can't stand",
		Source: "common to linters of migrations: squawk, eugene, atlas, strong_migrations, online_migrations",
		Examine: func(s *scene) []Finding {
			switch action := s.change.Action.(type) {
			case statement.CreateTrigger:
				if !s.fresh(action.Table) {
					return one(s.found("trigger %s is put on %s", action.Name, action.Table).breaks("it runs in every write of the old version that fires it"))
				}
			case statement.CreateRule:
				if !s.fresh(action.Table) {
					return one(s.found("rule %s is put on %s", action.Name, action.Table).breaks("it rewrites what the old version runs"))
				}
			case statement.Drop:
				if (action.Kind == "trigger" || action.Kind == "rule") && !s.fresh(action.Table) {
					return one(s.found("%s %s of %s is dropped", action.Kind, action.Name, action.Table).breaks("the old version's writes are not followed by it any more"))
				}
			}
			return nil
		},
	}
}

func replaceCode() Rule {
	return Rule{
		ID: "replace-code", Class: NeedsReview, Title: "replaces a function or a view, or updates an extension",
		Why:    "Both versions call it by the same name, so the old one runs the new code at once, and after a rollback too.",
		Remedy: "see that what the old version calls gives what it gave; otherwise make one of another name",
		Source: "common to linters of migrations: squawk, eugene, atlas, strong_migrations, online_migrations",
		Examine: func(s *scene) []Finding {
			switch action := s.change.Action.(type) {
			case statement.CreateFunction:
				if action.Replace && !s.freshNamed(action.Named()) {
					return one(s.found("%s %s may be replaced", action.Kind, action.Name).breaks("the old version runs the new code at once, and after a rollback"))
				}
			case statement.CreateView:
				if action.Replace && !s.freshObject("view", action.Name) {
					return one(s.found("view %s may be replaced", action.Name).breaks("the old version reads the new one at once, and after a rollback; its prepared SELECT * fails once a connection if columns are added"))
				}
			case statement.Drop:
				if s.remade(action.Named()) && !s.freshNamed(action.Named()) && action.Kind != "trigger" {
					return one(s.found("%s %s is dropped and made again", action.Kind, action.Name).breaks("the old version uses the new one at once, and after a rollback, without the rights that the old one had"))
				}
			case statement.Alter:
				isCode := action.Kind == "function" || action.Kind == "procedure" || action.Kind == "routine"
				if action.Kind == "extension" || isCode && !s.freshNamed(action.Named()) {
					return one(s.found("%s %s is changed", action.Kind, action.Name).breaks("the old version uses the changed one at once, and after a rollback"))
				}
			}
			return nil
		},
	}
}

func opaqueCode() Rule {
	return Rule{
		ID: "opaque-code", Class: NeedsReview, Title: "runs code that can't be read beforehand",
		Why:    "EXECUTE of a text that is put together while it runs may do anything. What stands in code as plain SQL is read and judged.",
		Remedy: "write the statements out, or see what they do and acknowledge it",
		Source: "common to linters of migrations: squawk, eugene, atlas, strong_migrations, online_migrations",
		Examine: func(s *scene) []Finding {
			switch action := s.change.Action.(type) {
			case statement.Execute:
				return one(s.found("it runs a text that is put together while it runs: %s", compact(action.Text)).breaks("nobody can say before what it does to either version"))
			case statement.Do:
				if action.Code.Opaque != "" {
					return one(s.found("its code can't be read: %s", action.Code.Opaque).breaks("nobody can say before what it does to either version"))
				}
			case statement.Data:
				for _, called := range action.Calls {
					code, known := s.schema.functions[called]
					if action.Verb == "call" && !known || known && code.Opaque != "" {
						return one(s.found("it calls %s, whose code is not in the migrations that were read", called).breaks("nobody can say before what it does to either version"))
					}
				}
			}
			return nil
		},
	}
}

func backfill() Rule {
	return Rule{
		ID: "backfill", Class: NeedsReview, Title: "writes every row of a table in one statement",
		Why:    "Each row is locked until it is committed: the old version's writers wait, replicas fall behind, and the table bloats.",
		Remedy: "write in parts, by ranges of the key, each committed by itself",
		Source: "strong_migrations, Backfilling data",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.Data)
			if !is || isRecord(action) || action.Verb != "update" && action.Verb != "delete" || s.fresh(action.Table) {
				return nil
			}
			const breaks = "the old version's writes to the same rows wait until it is committed"
			switch {
			case !action.Where:
				return one(s.found("%s of %s has no condition", action.Verb, action.Table).breaks(breaks))
			case s.onlyNull(action):
				return one(s.found("%s of %s has no condition but what every row meets: %s, which is new, is null", action.Verb, action.Table, strings.Join(action.Nulls, " and ")).breaks(breaks))
			}
			return nil
		},
	}
}

// onlyNull reports whether the condition of a change of rows is one that all of
// them meet, since each has null in a column that was added empty, or may have been.
func (s *scene) onlyNull(action statement.Data) bool {
	columns := s.schema.table(action.Table).columns
	return len(action.Nulls) > 0 && !slices.ContainsFunc(action.Nulls, func(name string) bool {
		column := columns[name]
		added := column != nil && column.fresh && column.empty
		supposed := column != nil && column.supposed != nil && column.supposed.empty
		return !added && !supposed
	})
}

func alterObject() Rule {
	return Rule{
		ID: "alter-object", Class: NeedsReview, Title: "changes how something works that both versions use",
		Why:    "Roles, databases, sequences, owners and settings have effects that can't be read from one statement.",
		Remedy: "see what it means for the old version",
		Source: "common to linters of migrations: squawk, eugene, atlas, strong_migrations, online_migrations",
		Examine: func(s *scene) []Finding {
			switch action := s.change.Action.(type) {
			case statement.Alter:
				switch action.Kind {
				case "extension", "function", "procedure", "routine", "statistics", "publication", "collation":
					return nil
				}
				if !s.freshNamed(action.Named()) && !s.fresh(action.Name) {
					return one(s.found("%s is changed: %s", strings.TrimSpace(action.Kind+" "+action.Name.String()), compact(action.What)).breaks("the old version uses the changed one at once, and after a rollback"))
				}
			case statement.AlterComposite:
				if !s.freshObject("type", action.Type) {
					return one(s.found("type %s is changed: %s", action.Type, action.What).breaks("the old version may not read or write values of it any more"))
				}
			case statement.AlterGenerated:
				if !s.freshColumn(action.Table, action.Column) && !action.Drops && !action.Always { // those change-default tells
					return one(s.found("column %s of %s: %s", action.Column, action.Table, action.What).breaks("the old version's writes of the column may be refused, or mean something else"))
				}
			}
			return nil
		},
	}
}

const ruleUnread = "unread"

func unread() Rule {
	return Rule{
		ID: ruleUnread, Class: NeedsReview, Level: Block, Title: "holds a statement that can't be read",
		Why:    "What can't be read can't be called safe. Placeholders of the tool, commands of psql and mistakes are told like this, for that statement alone.",
		Remedy: "write it as PostgreSQL takes it, or look what it does and acknowledge it",
		Source: "a check never guesses",
		Bad:    "ALTER TABLE ${schema}.orders DROP COLUMN note;",
		Good:   "COMMENT ON TABLE orders IS 'read';",
	}
}

func unreadFinding(read statement.Statement) Finding {
	return Finding{Rule: ruleUnread, Position: read.UnreadAt, Problem: "it can't be read: " + read.Unread}.
		breaks("nobody can say what it does to either version")
}
