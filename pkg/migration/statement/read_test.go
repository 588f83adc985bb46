package statement

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// told writes what a statement does on one line, without positions.
func told(statement Statement) string {
	if statement.Unread != "" {
		return fmt.Sprintf("unread at %d:%d: %s", statement.UnreadAt.Line, statement.UnreadAt.Column, statement.Unread)
	}
	var parts []string
	for _, change := range statement.Changes {
		parts = append(parts, brief(change.Action))
	}
	return strings.Join(parts, "; ")
}

func brief(action Action) string {
	switch action := action.(type) {
	case CreateTable:
		text := fmt.Sprintf("create table %s", action.Table)
		for _, column := range action.Columns {
			text += " " + columnText(column)
		}
		for _, constraint := range action.Constraints {
			text += " " + constraintText(constraint)
		}
		if action.PartitionOf.Name != "" {
			text += " of " + action.PartitionOf.String()
		}
		return text
	case AddColumn:
		return fmt.Sprintf("%s + %s", action.Table, columnText(action.Column))
	case AlterType:
		return fmt.Sprintf("%s.%s: %s using[%s]", action.Table, action.Column, action.Type, action.Using)
	case SetDefault:
		return fmt.Sprintf("%s.%s default[%s]", action.Table, action.Column, action.Default)
	case AddConstraint:
		return fmt.Sprintf("%s + %s", action.Table, constraintText(action.Constraint))
	case CreateFunction:
		return fmt.Sprintf("%s %s %s", action.Kind, action.Name, codeText(action.Code))
	case Do:
		return "do " + codeText(action.Code)
	case Revoke:
		text := "revoke"
		for _, object := range action.Objects {
			text += " " + objectText(object)
		}
		return text
	case CreateView:
		return fmt.Sprintf("view %s replace=%t [%s]", action.Name, action.Replace, action.Query)
	case Data:
		return fmt.Sprintf("%s %s where=%t calls=%v", action.Verb, action.Table, action.Where, action.Calls)
	case Drop:
		return fmt.Sprintf("drop %s from[%s] cascade=%t concurrently=%t exists=%t", objectText(action.Named()), action.Table, action.Cascade, action.Concurrently, action.IfExists)
	case Rename:
		return fmt.Sprintf("rename %s %s to %s", objectText(action.Named()), action.Part, action.To)
	case SetSchema:
		return fmt.Sprintf("move %s to %s", objectText(action.Named()), action.Schema)
	case Alter:
		return fmt.Sprintf("alter %s: %s", objectText(action.Named()), action.What)
	default:
		return strings.TrimPrefix(fmt.Sprintf("%T%+v", action, action), "statement.")
	}
}

func objectText(object Object) string {
	text := object.Kind + " " + object.Name.String()
	if object.Arguments != nil {
		text += "(" + *object.Arguments + ")"
	}
	return text
}

func columnText(column Column) string {
	text := fmt.Sprintf("(%s %s", column.Name, column.Type)
	if column.NotNull {
		text += " not null"
	}
	if column.Default != nil {
		text += " default[" + column.Default.SQL() + "]"
	}
	if column.Identity {
		text += " identity"
	}
	if column.Generated != nil {
		text += fmt.Sprintf(" generated[%s] virtual=%t", column.Generated, column.Virtual)
	}
	for _, constraint := range column.Constraints {
		text += " " + constraintText(constraint)
	}
	return text + ")"
}

func constraintText(constraint Constraint) string {
	text := string(constraint.Kind)
	if constraint.Name != "" {
		text = constraint.Name + ":" + text
	}
	text += fmt.Sprint(constraint.Columns)
	for _, part := range []struct {
		shown bool
		text  string
	}{
		{constraint.Check != nil, "[" + constraint.Check.SQL() + "]"},
		{constraint.References.Name != "", "->" + constraint.References.String()},
		{constraint.OnDelete != "", " " + constraint.OnDelete},
		{constraint.UsingIndex != "", " by " + constraint.UsingIndex},
		{constraint.NotValid, " not valid"},
		{constraint.NotEnforced, " not enforced"},
	} {
		if part.shown {
			text += part.text
		}
	}
	return text
}

func codeText(code Code) string {
	var parts []string
	for _, statement := range code.Statements {
		parts = append(parts, fmt.Sprintf("%d:%d %s", statement.At.Line, statement.At.Column, told(statement)))
	}
	return fmt.Sprintf("%s{%s}%s", code.Language, strings.Join(parts, " | "), code.Opaque)
}

func TestRead(t *testing.T) {
	for _, test := range []struct{ sql, want string }{
		{`REVOKE ALL ON FUNCTION s.f(a int8, OUT b int, INOUT double precision, c varchar(5)[] DEFAULT 'x', int = 5), g FROM PUBLIC`,
			"revoke function s.f(bigint, double precision, character varying[], integer) function g"},
		{`REVOKE GRANT OPTION FOR SELECT (a, b), UPDATE ON t, s.u FROM app CASCADE`, "revoke table t table s.u"},
		{`REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA s, u FROM app`, "revoke schema s schema u"},
		{`REVOKE reader FROM app`, "revoke"},
		{`ALTER TABLE t ADD COLUMN a varchar(20) NOT NULL DEFAULT 'x'::character varying`, `t + (a character varying(20) not null default['x'::character varying])`},
		{`ALTER TABLE IF EXISTS ONLY s."T" * ADD IF NOT EXISTS a int8 DEFAULT NULL UNIQUE, DROP b CASCADE`,
			`s.T + (a bigint default[null] UNIQUE[a]); DropColumn{Table:s.T Column:b}`},
		{`ALTER TABLE t ADD a timestamp(3) with time zone DEFAULT now() NOT NULL`, `t + (a timestamp with time zone(3) not null default[now()])`},
		{`ALTER TABLE t ADD a int GENERATED BY DEFAULT AS IDENTITY (START 5)`, `t + (a integer identity)`},
		{`ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED`, `t + (a integer generated[b + 1] virtual=false)`},
		{`ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) VIRTUAL`, `t + (a integer generated[b + 1] virtual=true)`},
		{`ALTER TABLE t ADD a double precision[] CHECK (a > '{}') NO INHERIT`, `t + (a double precision[] CHECK[a][a > '{}'])`},
		{`ALTER TABLE t ALTER a SET DATA TYPE numeric(10, 2) USING a::numeric`, `t.a: numeric(10,2) using[a::numeric]`},
		{`ALTER TABLE t ALTER COLUMN a DROP DEFAULT, ALTER b SET DEFAULT 1 + 2`, `t.a default[]; t.b default[1 + 2]`},
		{`ALTER TABLE t ALTER a SET NOT NULL, ALTER a DROP NOT NULL`, `SetNotNull{Table:t Column:a}; DropNotNull{Table:t Column:a}`},
		{`ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID`, `t + c:NOT NULL[a] not valid`},
		{`ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID`, `t + c:CHECK[][a is not null] not valid`},
		{`ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED`, `t + c:CHECK[][a > 0] not enforced`},
		{`ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES o (x, y) MATCH FULL ON DELETE SET NULL (a) DEFERRABLE INITIALLY DEFERRED NOT VALID`,
			`t + FOREIGN KEY[a b]->o set null not valid`},
		{`ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i`, `t + c:UNIQUE[] by i`},
		{`ALTER TABLE t ADD PRIMARY KEY (a, r WITHOUT OVERLAPS)`, `t + PRIMARY KEY[a r]`},
		{`ALTER TABLE t RENAME a TO b`, `rename column t a to b`},
		{`ALTER TABLE t RENAME TO u`, `rename table t  to u`},
		{`ALTER TABLE t RENAME CONSTRAINT a TO b`, `rename constraint t a to b`},
		{`ALTER TABLE t SET SCHEMA s`, `move table t to s`},
		{`ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1) TO (MAXVALUE)`, `AttachPartition{Table:t Partition:p}`},
		{`ALTER TABLE t DETACH PARTITION p CONCURRENTLY`, `DetachPartition{Table:t Partition:p Concurrently:true Finalize:false}`},
		{`ALTER TABLE t FORCE ROW LEVEL SECURITY`, `RowSecurity{Table:t Strict:true}`},
		{`ALTER TABLE t SET (fillfactor = 70)`, `AlterTable{Table:t What:SET (…) Mode:SHARE UPDATE EXCLUSIVE}`},
		{`ALTER TABLE t SET UNLOGGED`, `RewriteTable{Table:t What:SET LOGGED or UNLOGGED Everything:false}`},
		{`ALTER TABLE t DISABLE TRIGGER ALL`, `AlterTable{Table:t What:disable trigger Mode:SHARE ROW EXCLUSIVE}`},
		{`CREATE TABLE IF NOT EXISTS s.t (id bigserial PRIMARY KEY, n text COLLATE "C" REFERENCES o ON DELETE CASCADE, UNIQUE (n), LIKE x INCLUDING ALL)`,
			`create table s.t (id bigserial PRIMARY KEY[id]) (n text FOREIGN KEY[n]->o cascade) UNIQUE[n]`},
		{`CREATE TABLE p PARTITION OF t FOR VALUES IN ('a', 'b') PARTITION BY LIST (x)`, `create table p of t`},
		{`CREATE TABLE t (a, b) AS SELECT 1, 2`, `create table t`},
		{`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING btree (lower(a), b DESC NULLS LAST) INCLUDE (c) NULLS NOT DISTINCT WHERE a > 1`,
			`CreateIndex{Name:s.i Table:s.t Columns:[ b] Unique:true Concurrently:true IfNotExists:true NullsNotDistinct:true Partial:true Only:false}`},
		{`CREATE INDEX ON ONLY t (a)`, `CreateIndex{Name: Table:t Columns:[a] Unique:false Concurrently:false IfNotExists:false NullsNotDistinct:false Partial:false Only:true}`},
		{`DROP TABLE IF EXISTS a, s.b CASCADE`, `drop table a from[] cascade=true concurrently=false exists=true; drop table s.b from[] cascade=true concurrently=false exists=true`},
		{`DROP INDEX CONCURRENTLY i`, `drop index i from[] cascade=false concurrently=true exists=false`},
		{`DROP FUNCTION f(int, text), g`, `drop function f(integer, text) from[] cascade=false concurrently=false exists=false; drop function g from[] cascade=false concurrently=false exists=false`},
		{`DROP TRIGGER x ON t`, `drop trigger x from[t] cascade=false concurrently=false exists=false`},
		{`ALTER TYPE e ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'`, `AddEnumValue{Type:e Value:x}`},
		{`ALTER TYPE e RENAME VALUE 'x' TO 'y'`, `rename enum value e x to y`},
		{`ALTER DOMAIN d ADD CHECK (VALUE > 0) NOT VALID`, `AlterDomain{Domain:d What:ADD CONSTRAINT Constraint:`},
		{`ALTER VIEW v RENAME COLUMN a TO b`, `rename column v a to b`},
		{`ALTER EXTENSION x UPDATE TO '2'`, `alter extension x: update to '…'`},
		{`ALTER FUNCTION s.f(a int8, OUT b int) RENAME TO g`, `rename function s.f(bigint)  to g`},
		{`ALTER PROCEDURE f(int, OUT int) SET SCHEMA s`, `move procedure f(integer, out integer) to s`},
		{`ALTER ROUTINE f() OWNER TO app`, `alter routine f(): owner to app`},
		{`DROP PROCEDURE f(a varchar(5)), g CASCADE`, `drop procedure f(character varying) from[] cascade=true concurrently=false exists=false; drop procedure g from[] cascade=true concurrently=false exists=false`},
		{`REINDEX (VERBOSE, CONCURRENTLY) TABLE t`, `Reindex{Kind:table Target:t Concurrently:true}`},
		{`VACUUM (FULL, ANALYZE) t`, `Outside{What:VACUUM}; RewriteTable{Table:t What:VACUUM FULL Everything:false}`},
		{`VACUUM (FULL off) t`, `Outside{What:VACUUM}`},
		{`CLUSTER t USING i`, `RewriteTable{Table:t What:CLUSTER Everything:false}`},
		{`TRUNCATE a, ONLY b RESTART IDENTITY CASCADE`, `Truncate{Table:a Cascade:true}; Truncate{Table:b Cascade:true}`},
		{`LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE NOWAIT`, `Lock{Table:t Mode:SHARE ROW EXCLUSIVE NoWait:true}`},
		{`LOCK t IN SHARE UPDATE EXCLUSIVE MODE`, `Lock{Table:t Mode:SHARE UPDATE EXCLUSIVE NoWait:false}`},
		{`LOCK t IN SHARE MODE`, `Lock{Table:t Mode:SHARE NoWait:false}`},
		{`ALTER DOMAIN d ADD CONSTRAINT c NOT NULL`, `AlterDomain{Domain:d What:ADD CONSTRAINT Constraint:`},
		{`SET LOCAL lock_timeout = '5s'`, `Set{Local:true Name:lock_timeout Value:5s Everything:false}`},
		{`SET SESSION lock_timeout TO DEFAULT`, `Set{Local:false Name:lock_timeout Value: Everything:false}`},
		{`SELECT pg_catalog.set_config('lock_timeout', '2s', true)`, `select  where=false calls=[set_config]; Set{Local:true Name:lock_timeout Value:2s Everything:false}`},
		{`START TRANSACTION ISOLATION LEVEL SERIALIZABLE`, `Transaction{Kind:0 Savepoint: Chain:false}`},
		{`COMMIT WORK AND CHAIN`, `Transaction{Kind:1 Savepoint: Chain:true}`},
		{`ROLLBACK AND NO CHAIN`, `Transaction{Kind:2 Savepoint: Chain:false}`},
		{`RESET ALL`, `Set{Local:false Name: Value: Everything:true}`},
		{`DISCARD ALL`, `Outside{What:DISCARD ALL}; Set{Local:false Name: Value: Everything:true}`},
		{`DISCARD PLANS`, `Harmless{What:discard}`},
		{`ROLLBACK TO SAVEPOINT a`, `Transaction{Kind:5 Savepoint:a Chain:false}`},
		{`WITH x AS (SELECT 1 WHERE true) UPDATE ONLY s.t SET a = f(1)`, `update s.t where=false calls=[f]`},
		{`DELETE FROM t WHERE a = 1`, `delete t where=true calls=[]`},
		{`REVOKE SELECT ON t FROM app`, `revoke table t`},
		{"DO $$\nBEGIN\n  IF x THEN\n    ALTER TABLE t DROP a;\n  END IF;\n  EXECUTE 'DROP TABLE u';\n  EXECUTE format('x');\nEND $$",
			`do plpgsql{4:5 DropColumn{Table:t Column:a} | 6:3 drop table u from[] cascade=false concurrently=false exists=false | 7:3 Execute{Text:format('…')}}`},
		{"CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $x$ UPDATE t SET a = 1; SELECT 1 $x$", `function f sql{1:58 update t where=false calls=[] | 1:78 select  where=false calls=[]}`},
		{`CREATE OR REPLACE FUNCTION f() RETURNS trigger AS 'x' LANGUAGE plpython3u`, `function f plpython3u{}it is written in plpython3u`},
		{`CREATE VIEW v AS SELECT a FROM t`, `view v replace=false [select a from t]`},
		{`\dt+ orders`, `Harmless{What:\dt}`},
		{`\i other.sql`, `unread at 1:1: \i is a command of psql: what it does is not known here`},
		{`ALTER TABLE ${schema}.t ADD a int`, `unread at 1:13: a placeholder that only the migration tool can fill in`},
		{`ALTER TABLE :t ADD a int`, `unread at 1:13: ":" is not understood here, where a name was expected`},
		{`ALTER TABLE t EXPLODE`, `unread at 1:15: "explode" is not understood here, where a change of a table was expected`},
		{`ALTER TABLE t DROP a b`, `unread at 1:22: "b" is not understood here`},
		{`DROP TABLE`, `unread at 1:6: the end of the statement is not understood here, where a name was expected`},
		{`SELEC 1`, `unread at 1:1: "selec" begins no statement that is known here`},
		{`ALTER TABLE t ADD a int DEFAULT 'x`, `unread at 1:33: a string that does not end`},
	} {
		statements := Split(test.sql)
		if len(statements) != 1 {
			t.Errorf("%s: %d statements, want 1", test.sql, len(statements))
			continue
		}
		if got := told(statements[0]); !strings.HasPrefix(got, test.want) || !strings.HasPrefix(test.want, "AlterDomain") && got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.sql, got, test.want)
		}
	}
}

func TestSplit(t *testing.T) {
	text := `-- first
SELECT 1; -- behind the first
SELECT ';', "a;b", E'it\';s', $$ ; $$, $x$ $$ ; $x$ /* ; /* ; */ */
  ;
\set ON_ERROR_STOP on
CREATE RULE r AS ON INSERT TO t DO (DELETE FROM u; SELECT 1);
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
COPY t FROM stdin;
it's a row;
\.
-- for the last
SELECT 2
`
	var got []string
	for _, statement := range Split(text) {
		line := fmt.Sprintf("%d:%d %s", statement.At.Line, statement.At.Column, strings.Join(strings.Fields(statement.Text), " "))
		for _, comment := range statement.Comments {
			line += " # " + comment.Text
		}
		got = append(got, line)
	}
	want := []string{
		"2:1 SELECT 1 # -- first # -- behind the first",
		`3:1 SELECT ';', "a;b", E'it\';s', $$ ; $$, $x$ $$ ; $x$ # /* ; /* ; */ */`,
		`5:1 \set ON_ERROR_STOP on`,
		"6:1 CREATE RULE r AS ON INSERT TO t DO (DELETE FROM u; SELECT 1)",
		"7:1 CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
		"8:1 COPY t FROM stdin",
		"12:1 SELECT 2 # -- for the last",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzSplit holds for every text: no panic, every statement stands where it
// says, and one that says it was read accounts for every word.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"", ";;", "ALTER TABLE t ADD a int DEFAULT 1; SELECT $$;$$", "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$",
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", "COPY t FROM stdin;\n1\n\\.\n", "\\i x", "U&'\\0061' U&\"d\" E'\\'",
		"/* /* */", "$a$ $", "ALTER TABLE t ADD (", "VACUUM (", "COPY", "UPDATE", "é -- ü", "\x00\xff", "alter table t alter a type int using",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for _, statement := range Split(text) {
			if statement.At.Line < 1 || statement.At.Line > len(lines) {
				t.Fatalf("statement at line %d of %d", statement.At.Line, len(lines))
			}
			rest := strings.Join(lines[statement.At.Line-1:], "\n")
			from := 0
			for i, column := 0, 1; column < statement.At.Column; column++ {
				_, size := utf8.DecodeRuneInString(rest[i:])
				i += size
				from = i
			}
			if !strings.HasPrefix(rest[from:], statement.Text) {
				t.Fatalf("%q does not stand at %v", statement.Text, statement.At)
			}
			if statement.Unread == "" && len(statement.Changes) == 0 {
				t.Fatalf("%q was read and says nothing", statement.Text)
			}
		}
	})
}
