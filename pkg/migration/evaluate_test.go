package migration

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// history is a migration that was applied before.
func history(text string) dialect.Migration {
	return dialect.Migration{Path: "0.sql", Dialect: dialect.Plain, Sections: []dialect.Section{{Text: text}}}
}

// judged is a migration of the release, with what its tool runs together.
func judged(path, text string, transaction dialect.Transaction) dialect.Migration {
	return dialect.Migration{Path: path, Dialect: dialect.Plain, Named: true, Sections: []dialect.Section{{Text: text, Transaction: transaction}}}
}

func evaluate(t *testing.T, options Options, migrations ...dialect.Migration) *Report {
	t.Helper()
	report, err := Evaluate(migrations, Catalogue(), options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// told are the findings of a report on one line each.
func told(report *Report) []string {
	lines := []string{}
	for _, finding := range report.Findings {
		line := fmt.Sprintf("%d:%d %s %s", finding.Line, finding.Column, finding.Rule, finding.Level)
		if finding.Acknowledged != "" {
			line += " (" + finding.Acknowledged + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestExamples(t *testing.T) {
	for _, rule := range Catalogue() {
		if rule.Bad == "" {
			continue
		}
		bad := evaluate(t, Options{}, history(ExampleSchema), judged("1.sql", rule.Bad, dialect.Autocommit))
		if !slices.ContainsFunc(bad.Findings, func(f Finding) bool { return f.Rule == rule.ID && f.Level == rule.DefaultLevel() }) {
			t.Errorf("%s: the bad example is not found; found %q", rule.ID, told(bad))
		}
		good := evaluate(t, Options{}, history(ExampleSchema), judged("1.sql", rule.Good, dialect.Autocommit))
		for _, finding := range good.Findings {
			if finding.Blocks() || finding.Rule == rule.ID && finding.Level == rule.DefaultLevel() {
				t.Errorf("%s: the good example is blamed for %s: %s", rule.ID, finding.Rule, finding.Problem)
			}
		}
	}
}

func TestFindings(t *testing.T) {
	const quiet = "SET lock_timeout = '2s';\n"
	for _, test := range []struct {
		name, sql   string
		transaction dialect.Transaction
		version     string
		want        []string
	}{
		{name: "a new table is nobody's", sql: "CREATE TABLE n (a int); CREATE INDEX ON n (a); ALTER TABLE n ADD UNIQUE (a); ALTER TABLE n DROP COLUMN a; DROP TABLE n"},
		{name: "a table that may have been there", sql: quiet + "CREATE TABLE IF NOT EXISTS n (a int);\nCREATE INDEX ON n (a);\nALTER TABLE n ALTER a TYPE bigint;\nDROP TABLE n",
			want: []string{"3:1 index-blocks warn", "4:15 change-type block", "4:15 rewrite-table block", "5:1 drop-table block"}},
		{name: "one that was dropped was not there", sql: quiet + "DROP TABLE carts;\nCREATE TABLE IF NOT EXISTS carts (a int);\nDROP TABLE carts", want: []string{"2:1 drop-table block"}},
		{name: "nor was a column", sql: quiet + "ALTER TABLE other DROP a;\nALTER TABLE other ADD IF NOT EXISTS a int;\nALTER TABLE other DROP a",
			want: []string{"2:19 drop-column block", "2:19 prepared-plan warn"}},
		{name: "a temporary table never was", sql: "CREATE TEMP TABLE IF NOT EXISTS n (a int); DROP TABLE n"},
		{name: "what a branch makes may have been there", sql: quiet + "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM applied WHERE id = 1) THEN CREATE TABLE n (a int); END IF; END $$;\nALTER TABLE n DROP a;\nALTER TABLE n ALTER b TYPE bigint;\nDROP TABLE n",
			want: []string{"3:15 drop-column block", "3:15 prepared-plan warn", "4:15 change-type block", "4:15 rewrite-table block", "5:1 drop-table block"}},
		{name: "and what an error undoes", sql: quiet + "DO $$ BEGIN CREATE TABLE n (a int); EXCEPTION WHEN duplicate_table THEN NULL; END $$;\nCREATE INDEX ON n (a)", want: []string{"3:1 index-blocks block"}},
		{name: "a column, a view and an index too", sql: quiet + "DO $$ BEGIN IF x THEN ALTER TABLE others ADD a int; CREATE VIEW v AS SELECT 1; CREATE UNIQUE INDEX i ON n (a); END IF; END $$;\nALTER TABLE others DROP a;\nDROP VIEW v;\nDROP INDEX CONCURRENTLY i",
			want: []string{"2:42 prepared-plan warn", "2:80 add-constraint block", "2:80 index-blocks block", "3:20 drop-column block", "4:1 drop-object block", "5:1 drop-constraint warn"}},
		{name: "a branch drops nothing surely", sql: quiet + "DO $$ BEGIN IF x THEN\nDROP TABLE n; DROP VIEW v; ALTER TABLE other DROP a; END IF; END $$;\nCREATE TABLE IF NOT EXISTS n (a int);\nDROP TABLE n;\nCREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1;\nDROP MATERIALIZED VIEW v;\nALTER TABLE other ADD IF NOT EXISTS a int;\nALTER TABLE other DROP a",
			want: []string{"3:1 drop-table block", "3:15 drop-object block", "3:46 drop-column block", "3:46 prepared-plan warn", "5:1 drop-table block", "7:1 drop-object block", "9:19 drop-column block"}},
		{name: "what a branch drops of what is new", sql: quiet + "CREATE TABLE n (a int, b int); CREATE VIEW v AS SELECT 1;\nDO $$ BEGIN IF x THEN DROP TABLE n; DROP VIEW v; ALTER TABLE n DROP a; END IF; END $$;\nDROP TABLE n; DROP VIEW v"},
		{name: "a branch proves nothing", sql: quiet + "-- bluegreen:allow add-constraint so it is\n-- bluegreen:allow scan-table so it is\nDO $$ BEGIN IF x THEN ALTER TABLE orders ADD CONSTRAINT c CHECK (quantity IS NOT NULL); END IF; END $$;\nALTER TABLE orders ALTER quantity SET NOT NULL",
			want: []string{"4:42 add-constraint block (so it is)", "4:42 scan-table block (so it is)", "5:20 set-not-null block", "5:20 scan-table block"}},
		{name: "nor does it end a wait", sql: "DO $$ BEGIN IF x THEN SET lock_timeout = '1s'; END IF; END $$;\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"2:20 lock-timeout block"}},
		{name: "or choose a schema", sql: quiet + "CREATE TABLE shop.orders (a int);\nDO $$ BEGIN IF x THEN SET search_path = shop; END IF; END $$;\nDROP TABLE orders", want: []string{"4:1 drop-table block"}},
		{name: "a view that a branch makes again", sql: quiet + "DO $$ BEGIN IF x THEN\nDROP VIEW open_orders; CREATE VIEW open_orders AS SELECT 1 AS id;\nELSE\nDROP VIEW v; END IF; IF y THEN CREATE VIEW v AS SELECT 1; END IF; END $$",
			want: []string{"3:1 replace-code warn", "5:1 drop-object block"}},
		{name: "a name that a branch gives", sql: quiet + "CREATE TABLE n (a int);\nDO $$ BEGIN ALTER TABLE n RENAME TO carts; EXCEPTION WHEN OTHERS THEN NULL; END $$;\nDROP TABLE carts", want: []string{"4:1 drop-table block"}},
		{name: "a call that may not be made", sql: quiet + "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE n (a int); CREATE TABLE m (a int); RETURN 1; END $$;\nSELECT f() FROM orders WHERE id = 1;\nDROP TABLE n;\nSELECT f();\nDROP TABLE m",
			want: []string{"4:1 drop-table block"}},
		{name: "a function is told by its arguments", sql: quiet + "CREATE FUNCTION total(a bigint) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\nDROP FUNCTION total(int);\nDROP PROCEDURE total(text);\nDROP ROUTINE total(a int8)", want: []string{"3:1 drop-object block", "4:1 drop-object block"}},
		{name: "where it is renamed, moved, changed and replaced too", sql: quiet + "CREATE FUNCTION total(a bigint) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\nALTER FUNCTION total(int) RENAME TO sum;\nALTER FUNCTION total(int) SET SCHEMA s;\nALTER FUNCTION total(int) OWNER TO app;\nALTER FUNCTION total(bigint) OWNER TO app;\nCREATE OR REPLACE FUNCTION total(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
			want: []string{"3:1 rename-object block", "4:1 rename-object block", "5:1 replace-code warn", "7:1 replace-code warn"}},
		{name: "and where it is made again", sql: quiet + "DROP FUNCTION total(int);\nDROP FUNCTION total(bigint);\nCREATE FUNCTION total(a bigint) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\n", transaction: dialect.Whole, want: []string{"2:1 drop-object block", "3:1 replace-code warn"}},
		{name: "a name alone is that of the one that is left", sql: quiet + "CREATE FUNCTION total(a bigint) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\nDROP FUNCTION total(bigint);\nDROP FUNCTION total", want: []string{"4:1 drop-object block"}},
		{name: "also behind another name", sql: quiet + "CREATE FUNCTION total(a bigint) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\nALTER FUNCTION total(bigint) RENAME TO sum;\nDROP FUNCTION total;\nDROP FUNCTION sum(bigint)", want: []string{"4:1 drop-object block"}},
		{name: "what a procedure gives back tells it too", sql: quiet + "CREATE PROCEDURE pay(a int, OUT b int) LANGUAGE sql AS $$ SELECT 1 $$;\nDROP PROCEDURE pay(int);\nDROP PROCEDURE pay(int, OUT int)", want: []string{"3:1 drop-object block"}},
		{name: "a view that gets another name is as new", sql: quiet + "CREATE VIEW v AS SELECT 1;\nALTER VIEW v RENAME TO w;\nDROP VIEW w;\nDROP VIEW v", want: []string{"5:1 drop-object block"}},
		{name: "everything is taken back", sql: quiet + "RESET ALL;\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"3:20 lock-timeout block"}},
		{name: "and discarded", sql: quiet + "DISCARD ALL;\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"3:20 lock-timeout block"}},
		{name: "the session's after the transaction's", sql: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nSET lock_timeout = 0;\nALTER TABLE orders DISABLE TRIGGER ALL;\nCOMMIT", want: []string{"4:20 lock-timeout block"}},
		{name: "the transaction's after the session's", sql: "SET lock_timeout = 0;\nBEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders DISABLE TRIGGER ALL;\nCOMMIT;\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"6:20 lock-timeout block"}},
		{name: "a chain of transactions", sql: "BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nCREATE INDEX CONCURRENTLY i ON orders (note);\nCOMMIT", want: []string{"4:1 concurrent-in-transaction block"}},
		{name: "undone one by one", sql: quiet + "BEGIN;\nROLLBACK AND CHAIN;\nCREATE TABLE n (a int);\nROLLBACK;\nDROP TABLE n", want: []string{"6:1 drop-table block"}},
		{name: "and never ended", sql: "BEGIN;\nCOMMIT AND CHAIN;\nSELECT 1", want: []string{"3:1 nested-transaction block"}},
		{name: "what a tool records", transaction: dialect.Whole, sql: quiet + "ALTER TABLE orders DISABLE TRIGGER ALL;\nUPDATE alembic_version SET version_num = 'b' WHERE alembic_version.version_num = 'a';\nDELETE FROM \"__EFMigrationsHistory\"; UPDATE public.schema_migrations SET dirty = false"},
		{name: "a row, as it seems", transaction: dialect.Whole, sql: quiet + "ALTER TABLE orders DISABLE TRIGGER ALL;\nUPDATE settings SET value = 'b' WHERE (settings.id = 1);\nDELETE FROM settings WHERE id = 'x' RETURNING value", want: []string{"3:1 lock-held warn", "4:1 lock-held warn"}},
		{name: "a row, by an index", transaction: dialect.Whole, sql: quiet + "CREATE UNIQUE INDEX i ON settings (place);\nUPDATE settings SET value = 'b' WHERE place = 1", want: []string{"2:1 add-constraint block", "2:1 index-blocks block", "3:1 lock-held warn"}},
		{name: "a default that a constraint refuses", sql: quiet + "ALTER TABLE orders ADD COLUMN s int CHECK (s > 5);\nALTER TABLE orders ADD COLUMN u int, ADD COLUMN v int, ADD COLUMN w int;\nALTER TABLE orders ADD CONSTRAINT some CHECK (u > 5) NOT VALID;\nCREATE UNIQUE INDEX CONCURRENTLY vs ON orders (v);\nALTER TABLE orders ADD CHECK (w > 5) NOT VALID;\n" +
			"ALTER TABLE orders ALTER s SET DEFAULT 0;\nALTER TABLE orders ALTER u SET DEFAULT 6;\nALTER TABLE orders ALTER u SET DEFAULT 5;\nALTER TABLE orders ALTER v SET DEFAULT 0;\nALTER TABLE orders ALTER w SET DEFAULT NULL;",
			want: []string{"2:20 prepared-plan warn", "2:20 scan-table block", "7:20 add-constraint block", "9:20 add-constraint block", "10:20 add-constraint block"}},
		{name: "a default of what had none", sql: quiet + "ALTER TABLE orders ALTER note SET DEFAULT 'x';\nALTER TABLE orders ALTER note SET DEFAULT 'y';\nALTER TABLE orders ALTER quantity SET DEFAULT NULL;\nALTER TABLE orders ALTER id SET DEFAULT 1;\n" +
			"ALTER TABLE orders ADD a int;\nALTER TABLE orders ALTER a SET DEFAULT 1;\nALTER TABLE others ALTER a SET DEFAULT 1;\nALTER TABLE pairs ALTER a SET DEFAULT 1, ALTER b SET DEFAULT 1",
			want: []string{"2:20 new-default warn", "3:20 change-default block", "6:20 prepared-plan warn", "8:20 change-default block", "9:42 new-default warn"}},
		{name: "rows of a kind", transaction: dialect.Whole, sql: quiet + "ALTER TABLE orders ADD COLUMN key int DEFAULT 0;\nUPDATE orders SET note = '' WHERE state = 'new';\nDELETE FROM orders WHERE customer_id = 1;\nUPDATE orders SET note = '' WHERE key = 0",
			want: []string{"2:20 prepared-plan warn", "3:1 lock-held block", "4:1 lock-held block", "5:1 lock-held block"}},
		{name: "rows that a named query writes", transaction: dialect.Whole, sql: quiet + "ALTER TABLE orders DISABLE TRIGGER ALL;\nWITH x AS (UPDATE orders SET note = '') SELECT 1;\nWITH x AS NOT MATERIALIZED (DELETE FROM orders WHERE (id > 1) RETURNING id) SELECT * FROM x;\nWITH x AS (SELECT id FROM orders) SELECT * FROM x",
			want: []string{"3:1 lock-held block", "3:1 backfill warn", "4:1 lock-held block"}},
		{name: "more than a row", transaction: dialect.Whole, sql: quiet + "ALTER TABLE orders DISABLE TRIGGER ALL;\nUPDATE settings SET v = o.note FROM orders o WHERE settings.id = 1;\nDELETE FROM settings USING orders WHERE id = 1;\n" +
			"WITH x AS (UPDATE orders SET note = '') UPDATE settings SET v = 1 WHERE id = 1;\nUPDATE settings SET v = (SELECT count(*) FROM orders) WHERE id = 1;\nUPDATE settings SET v = 1 WHERE id = 1 OR true;\nUPDATE settings SET v = 1 WHERE id = id",
			want: []string{"3:1 lock-held block", "4:1 lock-held block", "5:1 lock-held block", "6:1 lock-held block", "7:1 lock-held block", "8:1 lock-held block"}},
		{name: "a first migration", sql: "CREATE TABLE IF NOT EXISTS accounts (id bigint PRIMARY KEY, email text);\nCREATE UNIQUE INDEX IF NOT EXISTS e ON accounts (email);\nALTER TABLE accounts ADD UNIQUE (email);\nALTER TABLE accounts ENABLE ROW LEVEL SECURITY;\nALTER TABLE orders DISABLE TRIGGER ALL",
			want: []string{"2:1 add-constraint warn", "2:1 index-blocks warn", "2:1 lock-timeout warn", "3:22 add-constraint warn", "3:22 build-key warn", "4:22 restrict-access warn", "5:20 lock-timeout block"}},
		{name: "in one transaction", transaction: dialect.Whole, sql: quiet + "CREATE TABLE IF NOT EXISTS accounts (id bigint);\nALTER TABLE accounts ADD CHECK (id > 0) NOT VALID;\nUPDATE orders SET note = '' WHERE id > 0;\nALTER TABLE orders DISABLE TRIGGER ALL;\nUPDATE orders SET note = '' WHERE id > 0",
			want: []string{"3:22 add-constraint warn", "4:1 lock-held warn", "5:20 several-locks warn", "6:1 lock-held block"}},
		{name: "a table that something speaks of", sql: quiet + "SELECT count(*) FROM accounts;\nCREATE TABLE IF NOT EXISTS accounts (id bigint);\nCREATE INDEX ON accounts (id)", want: []string{"4:1 index-blocks block"}},
		{name: "as code does", sql: quiet + "DO $$ BEGIN IF EXISTS (SELECT 1 FROM accounts) THEN NULL; END IF;\nCREATE TABLE IF NOT EXISTS accounts (id bigint);\nCREATE INDEX ON accounts (id); END $$", want: []string{"4:1 index-blocks block"}},
		{name: "and one of the migrations before", sql: quiet + "CREATE TABLE IF NOT EXISTS carts (id bigint);\nCREATE INDEX ON carts (id)", want: []string{"3:1 index-blocks block"}},
		{name: "a table whose columns change", sql: quiet + "CREATE TABLE IF NOT EXISTS accounts (id bigint);\nALTER TABLE accounts ADD COLUMN IF NOT EXISTS a int NOT NULL;\nCREATE INDEX ON accounts (a)",
			want: []string{"3:22 add-required-column block", "3:22 prepared-plan warn", "4:1 index-blocks block"}},
		{name: "other objects that may have been there", sql: quiet + "CREATE SCHEMA IF NOT EXISTS s;\nDROP SCHEMA s;\nCREATE SEQUENCE IF NOT EXISTS q;\nDROP SEQUENCE q;\nCREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1;\nDROP MATERIALIZED VIEW v",
			want: []string{"3:1 drop-table block", "5:1 drop-object block", "7:1 drop-object block"}},
		{name: "an index that may have been there", sql: "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON n (a);\nDROP INDEX CONCURRENTLY i", want: []string{"1:1 add-constraint block", "1:1 invalid-index warn", "2:1 drop-constraint warn"}},
		{name: "an index that a try before may have left", sql: "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (note);\nDROP INDEX CONCURRENTLY IF EXISTS public.j;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS j ON orders (note);\n" +
			"CREATE INDEX CONCURRENTLY IF NOT EXISTS carts_note ON carts (note);\nCREATE TABLE n (a int);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS k ON n (a);\n" +
			"BEGIN;\nDROP INDEX l;\nROLLBACK;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS l ON orders (note)",
			want: []string{"1:1 invalid-index warn", "4:1 invalid-index warn", "8:1 index-blocks block", "8:1 lock-timeout block", "10:1 invalid-index warn"}},
		{name: "one user is not another", sql: "CREATE USER a;\nALTER USER b NOLOGIN", want: []string{"2:1 alter-object warn"}},
		{name: "a new column is nobody's", sql: quiet + "ALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders ALTER a TYPE bigint, DROP COLUMN a",
			want: []string{"2:20 prepared-plan warn", "3:20 rewrite-table block"}},
		{name: "expand", sql: quiet + "ALTER TABLE orders ADD COLUMN a text DEFAULT now()::text NOT NULL", want: []string{"2:20 prepared-plan warn"}},
		{name: "contract, two releases later, spared by a proof", sql: quiet + "ALTER TABLE proven ALTER filled SET NOT NULL;\nALTER TABLE proven DROP CONSTRAINT filled"},
		{name: "what is known of a type", sql: quiet + "ALTER TABLE orders ALTER note TYPE text;\nALTER TABLE orders ALTER total TYPE numeric(12,2);\nALTER TABLE orders ALTER total TYPE numeric(12,3);\nALTER TABLE other ALTER x TYPE text",
			want: []string{"2:20 widen-type warn", "3:20 widen-type warn", "4:20 change-type block", "4:20 rewrite-table block", "5:19 change-type block", "5:19 rewrite-table block"}},
		{name: "a tool's transaction", sql: quiet + "CREATE INDEX CONCURRENTLY i ON orders (note)", transaction: dialect.Whole, want: []string{"2:1 concurrent-in-transaction block"}},
		{name: "one statement is no transaction", sql: "CREATE INDEX CONCURRENTLY i ON orders (note)", transaction: dialect.Message},
		{name: "several are one", sql: "SELECT 1; CREATE INDEX CONCURRENTLY i ON orders (note)", transaction: dialect.Message, want: []string{"1:11 concurrent-in-transaction block"}},
		{name: "Flyway sees it", sql: "CREATE INDEX CONCURRENTLY i ON orders (note)", transaction: dialect.UnlessRefused},
		{name: "validated where it is added", sql: quiet + "ALTER TABLE orders ADD COLUMN w int, ADD CONSTRAINT c CHECK (w > 0) NOT VALID;\nALTER TABLE orders VALIDATE CONSTRAINT c", transaction: dialect.Whole,
			want: []string{"2:20 prepared-plan warn", "3:20 lock-held block"}},
		{name: "a timeout ends with its transaction", sql: "BEGIN;\nSET LOCAL lock_timeout = '1s';\nCOMMIT;\nLOCK orders IN EXCLUSIVE MODE", want: []string{"4:1 lock-table block", "4:1 lock-timeout block"}},
		{name: "or is undone with it", sql: "BEGIN;\nSET lock_timeout = '1s';\nROLLBACK;\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"4:20 lock-timeout block"}},
		{name: "in a message too", transaction: dialect.Message, sql: "SET lock_timeout = '1s';\nROLLBACK;\nCREATE TABLE n (a int);\nROLLBACK;\nDROP TABLE n", want: []string{"5:1 drop-table block", "5:1 lock-timeout block"}},
		{name: "and in the tool's", transaction: dialect.Whole, sql: quiet + "CREATE TABLE n (a int);\nROLLBACK;\nSET lock_timeout = '2s';\nDROP TABLE n",
			want: []string{"3:1 nested-transaction block", "5:1 drop-table block"}},
		{name: "what was undone before is not known", sql: quiet + "ALTER TABLE undone ALTER a TYPE text", want: []string{"2:20 change-type block", "2:20 rewrite-table block"}},
		{name: "a timeout that is none", sql: "SET lock_timeout = '2h';\nSET statement_timeout = '1h';\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"3:20 lock-timeout block"}},
		{name: "the shorter one ends it", sql: "SET lock_timeout = '2h';\nSET statement_timeout = 60000;\nALTER TABLE orders DISABLE TRIGGER ALL"},
		{name: "one that the tool fills in is not known", sql: "SET lock_timeout = ':timeout1';\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"2:20 lock-timeout block"}},
		{name: "outside of one it is none", sql: "SET LOCAL lock_timeout = '1s';\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"2:20 lock-timeout block"}},
		{name: "a file's own transaction in one message", transaction: dialect.Message, sql: "BEGIN;\nSET LOCAL lock_timeout = '1s';\nALTER TABLE orders DISABLE TRIGGER ALL;\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON orders (note)",
			want: []string{"5:1 concurrent-in-transaction block"}},
		{name: "a file's own transaction in the tool's", transaction: dialect.Whole, sql: "BEGIN;\nSELECT 1;\nCOMMIT;", want: []string{"1:1 nested-transaction block"}},
		{name: "another order of texts", sql: quiet + `ALTER TABLE orders ALTER note TYPE text COLLATE "C"`, want: []string{"2:20 change-type block", "2:20 build-key block"}},
		{name: "what generates a column", sql: quiet + "ALTER TABLE orders ALTER id DROP IDENTITY IF EXISTS, ALTER id ADD GENERATED ALWAYS AS IDENTITY,\nALTER id ADD GENERATED BY DEFAULT AS IDENTITY, ALTER id RESTART WITH 5",
			want: []string{"2:20 change-default block", "2:54 change-default block", "3:1 alter-object warn", "3:48 alter-object warn"}},
		{name: "a key from an index", sql: quiet + "CREATE UNIQUE INDEX CONCURRENTLY i ON carts (note);\nALTER TABLE carts ADD PRIMARY KEY USING INDEX i",
			want: []string{"2:1 add-constraint block", "3:19 add-constraint block", "3:19 scan-table block"}},
		{name: "a key of what could be twice", sql: quiet + "ALTER TABLE proven ADD PRIMARY KEY (filled)", want: []string{"2:20 add-constraint block", "2:20 build-key block"}},
		{name: "and is taken back", sql: quiet + "RESET lock_timeout;\nDROP INDEX CONCURRENTLY x;\nALTER TABLE orders SET (fillfactor = 50);\nALTER TABLE orders DISABLE TRIGGER ALL", want: []string{"5:20 lock-timeout block"}},
		{name: "code is read where it stands", sql: quiet + "DO $$\nBEGIN\n  ALTER TABLE orders DROP COLUMN note;\n  EXECUTE 'DROP TABLE carts';\n  EXECUTE x;\nEND $$",
			want: []string{"4:22 drop-column block", "4:22 prepared-plan warn", "5:3 drop-table block", "6:3 opaque-code warn"}},
		{name: "a function speaks when it is called", sql: quiet + "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  DROP TABLE carts;\nEND $$;\nSELECT f()", want: []string{"4:3 drop-table block"}},
		{name: "an unread statement is alone", sql: quiet + "ALTER TABLE ${s}.orders ADD a int;\nCOMMENT ON TABLE orders IS ''", want: []string{"2:13 unread block"}},
		{name: "acknowledged", sql: "-- bluegreen:allow drop-table nobody has used it since May\n/* bluegreen:allow lock-timeout the role sets it */ DROP TABLE carts",
			want: []string{"2:53 drop-table block (nobody has used it since May)", "2:53 lock-timeout block (the role sets it)"}},
		{name: "a view in the old place", sql: quiet + "ALTER TABLE carts RENAME TO baskets;\nALTER TABLE baskets RENAME note TO remark;\nCREATE VIEW carts AS SELECT id, remark AS note FROM baskets", transaction: dialect.Whole,
			want: []string{"2:19 rename-table warn", "3:21 rename-column warn"}},
		{name: "a view that shows all by its new names", sql: quiet + "ALTER TABLE carts RENAME TO baskets;\nALTER TABLE baskets RENAME note TO remark;\nCREATE VIEW carts AS SELECT * FROM baskets", transaction: dialect.Whole,
			want: []string{"2:19 rename-table warn", "3:21 rename-column block"}},
		{name: "a view keeps the names that it has", sql: quiet + "ALTER TABLE carts RENAME TO baskets;\nCREATE VIEW carts AS SELECT * FROM baskets;\nALTER TABLE baskets RENAME note TO remark", transaction: dialect.Whole,
			want: []string{"2:19 rename-table warn", "4:21 rename-column warn"}},
		{name: "a view of the other table of the name", sql: quiet + "ALTER TABLE carts SET SCHEMA shop;\nCREATE VIEW carts AS SELECT b.id, b.note FROM shop.carts AS b", transaction: dialect.Whole, want: []string{"2:19 rename-table warn"}},
		{name: "a view in a branch", sql: quiet + "DO $$ BEGIN IF x THEN\nALTER TABLE carts RENAME TO baskets; CREATE VIEW carts AS SELECT * FROM baskets; END IF; IF y THEN\nALTER TABLE coupons RENAME TO codes; CREATE VIEW coupons AS SELECT id FROM codes; END IF; END $$",
			want: []string{"3:19 rename-table warn", "4:21 rename-table block"}},
		{name: "a list of columns that were not all read", sql: quiet + "ALTER TABLE others RENAME TO strange;\nCREATE VIEW others AS SELECT id, note FROM strange", transaction: dialect.Whole, want: []string{"2:20 rename-table block"}},
		{name: "a column that is new need not be shown", sql: quiet + "ALTER TABLE carts ADD COLUMN tax int;\nALTER TABLE carts RENAME TO baskets;\nCREATE VIEW carts AS SELECT id, note FROM baskets", transaction: dialect.Whole, want: []string{"2:19 prepared-plan warn", "3:19 rename-table warn"}},
		{name: "a view that comes too late", sql: quiet + "ALTER TABLE carts RENAME TO baskets;\nCREATE VIEW carts AS SELECT * FROM baskets", want: []string{"2:19 rename-table block"}},
		{name: "a view that another transaction makes", sql: quiet + "BEGIN;\nALTER TABLE carts RENAME TO baskets;\nCOMMIT;\nBEGIN;\nCREATE VIEW carts AS SELECT * FROM baskets;\nCOMMIT",
			want: []string{"3:19 rename-table block"}},
		{name: "null twice in a new column", sql: quiet + "ALTER TABLE orders ADD u int;\nCREATE UNIQUE INDEX CONCURRENTLY i ON orders (u);\nCREATE UNIQUE INDEX CONCURRENTLY j ON orders (u) NULLS NOT DISTINCT",
			want: []string{"2:20 prepared-plan warn", "4:1 add-constraint block"}},
		{name: "a proof that was never validated", sql: quiet + "ALTER TABLE doubtful ALTER filled SET NOT NULL", want: []string{"2:22 set-not-null block", "2:22 scan-table block"}},
		{name: "a view that is made again", sql: quiet + "DROP VIEW open_orders;\nCREATE VIEW open_orders AS SELECT 1 AS id", transaction: dialect.Whole, want: []string{"2:1 replace-code warn"}},
		{name: "two tables in one", sql: quiet + "ALTER TABLE orders ADD a int;\nALTER TABLE customers ADD a int", transaction: dialect.Whole,
			want: []string{"2:20 prepared-plan warn", "3:23 prepared-plan warn", "3:23 several-locks block"}},
		{name: "an unfinished transaction", sql: "BEGIN;\nSELECT 1", want: []string{"2:1 nested-transaction block"}},
		{name: "13 has no concurrent detach", version: "13", sql: "ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY", want: []string{"1:20 detach-blocks block"}},
		{name: "14.2 breaks indexes", version: "14.2", sql: "CREATE INDEX CONCURRENTLY i ON orders (note)", want: []string{"1:1 broken-index block"}},
		{name: "14.4 does not", version: "14.4", sql: "CREATE INDEX CONCURRENTLY i ON orders (note)"},
		{name: "18's NOT NULL", version: "18", sql: quiet + "ALTER TABLE orders ADD CONSTRAINT q NOT NULL quantity NOT VALID", want: []string{"2:20 add-constraint block"}},
		{name: "a new reference", sql: quiet + "CREATE TABLE n (c bigint REFERENCES customers ON DELETE CASCADE)", want: []string{"2:1 new-reference warn"}},
		{name: "a search path", sql: quiet + "SET search_path = shop;\nCREATE TABLE orders (id int);\nDROP TABLE shop.orders;\nDROP TABLE public.carts", want: []string{"5:1 drop-table block"}},
		{name: "every row of a column that was just added", sql: quiet + "ALTER TABLE orders ADD a text, ADD b int, ADD c int DEFAULT 1;\nUPDATE orders SET a = note WHERE (orders.a IS NULL) RETURNING id;\nUPDATE orders SET b = 1 WHERE a IS NULL AND b IS NULL;\n" +
			"WITH x AS (UPDATE orders SET a = note WHERE a IS NULL RETURNING id) SELECT 1;\nALTER TABLE orders ALTER b SET DEFAULT 1;\nUPDATE orders SET b = 1 WHERE b IS NULL",
			want: []string{"2:20 prepared-plan warn", "3:1 backfill warn", "4:1 backfill warn", "5:1 backfill warn", "7:1 backfill warn"}},
		{name: "or that may have been", sql: quiet + "ALTER TABLE orders ADD IF NOT EXISTS a text, ADD IF NOT EXISTS note text;\nUPDATE orders SET a = note WHERE a IS NULL;\nUPDATE orders SET note = 'x' WHERE note IS NULL",
			want: []string{"2:20 prepared-plan warn", "3:1 backfill warn"}},
		{name: "and some", sql: quiet + "ALTER TABLE orders ADD a text, ADD c int DEFAULT 1;\nUPDATE orders SET c = 2 WHERE c IS NULL;\nUPDATE orders SET a = note WHERE note IS NULL;\nUPDATE orders SET a = note WHERE a IS NULL AND id < 100;\n" +
			"UPDATE orders SET a = note WHERE a IS NULL OR id < 5;\nUPDATE orders SET a = note WHERE id IN (SELECT id FROM orders WHERE a IS NULL LIMIT 5);\nUPDATE orders SET a = note WHERE a IS NOT NULL",
			want: []string{"2:20 prepared-plan warn"}},
		{name: "a way of its own", sql: quiet + "UPDATE orders SET note = ''; SELECT setval('x', 1); CALL mystery()", want: []string{"2:1 backfill warn", "2:53 opaque-code warn"}},
	} {
		version, err := ParseVersion(test.version)
		if err != nil {
			t.Fatal(err)
		}
		proven := "BEGIN; CREATE TABLE undone (a varchar(5)); ROLLBACK; CREATE TABLE proven (filled int); ALTER TABLE proven ADD CONSTRAINT filled CHECK (filled IS NOT NULL) NOT VALID; ALTER TABLE proven VALIDATE CONSTRAINT filled;" +
			"CREATE TABLE pairs (a int, b int, PRIMARY KEY (a)); CREATE INDEX carts_note ON carts (note); DROP INDEX carts_note; CREATE TABLE doubtful (filled int); ALTER TABLE doubtful ADD CONSTRAINT filled CHECK (filled IS NOT NULL) NOT VALID;"
		report := evaluate(t, Options{Version: version}, history(ExampleSchema+proven), judged("1.sql", test.sql, test.transaction))
		want := test.want
		if want == nil {
			want = []string{}
		}
		if diff := cmp.Diff(want, told(report)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
	}
}

func TestALockIsToldByTheNameThatItsTableHas(t *testing.T) {
	text := "SET lock_timeout = '1s';\nALTER TABLE carts RENAME TO baskets;\nCREATE VIEW carts AS SELECT * FROM baskets;\nDELETE FROM orders WHERE id > 1"
	report := evaluate(t, Options{}, judged("1.sql", text, dialect.Whole))
	last := report.Findings[len(report.Findings)-1]
	if want := "it works on many rows while the transaction holds ACCESS EXCLUSIVE of baskets"; last.Problem != want {
		t.Errorf("got %q, want %q", last.Problem, want)
	}
}

func TestEachFileOfAFolderIsARelease(t *testing.T) {
	first := dialect.Migration{Path: "1.sql", Sections: []dialect.Section{{Text: "CREATE TABLE a (id int); CREATE INDEX ON a (id)"}}}
	second := dialect.Migration{Path: "2.sql", Sections: []dialect.Section{{Text: "CREATE INDEX ON a (id)"}}}
	if diff := cmp.Diff([]string{"1:1 index-blocks block", "1:1 lock-timeout block"}, told(evaluate(t, Options{}, first, second))); diff != "" {
		t.Errorf("of a folder: -want +got:\n%s", diff)
	}
	first.Sections[0].Text, second.Sections[0].Text = "CREATE TABLE IF NOT EXISTS a (note varchar(5))", "SET lock_timeout = '1s'; ALTER TABLE a ALTER note TYPE text"
	if diff := cmp.Diff([]string{"1:40 widen-type warn"}, told(evaluate(t, Options{}, first, second))); diff != "" {
		t.Errorf("of a folder, what a former release may have made: -want +got:\n%s", diff)
	}
	first.Sections[0].Text, second.Sections[0].Text = "CREATE TABLE a (id int); CREATE INDEX ON a (id)", "CREATE INDEX ON a (id)"
	first.Named, second.Named = true, true
	if diff := cmp.Diff([]string{}, told(evaluate(t, Options{}, first, second))); diff != "" {
		t.Errorf("of one release: -want +got:\n%s", diff)
	}
}

func TestSettingsLastInASession(t *testing.T) {
	first := judged("1.sql", "SET lock_timeout = '1s'", dialect.Autocommit)
	second := judged("2.sql", "ALTER TABLE a SET UNLOGGED", dialect.Autocommit)
	if got := told(evaluate(t, Options{}, first, second)); len(got) != 2 {
		t.Errorf("in sessions of their own: %q, want lock-timeout too", got)
	}
	first.Session, second.Session = true, true
	if diff := cmp.Diff([]string{"1:15 rewrite-table block"}, told(evaluate(t, Options{}, first, second))); diff != "" {
		t.Errorf("in one session: -want +got:\n%s", diff)
	}
}

func TestLevels(t *testing.T) {
	levels, err := Levels([]string{"drop-table=off", "lock-timeout=warn", "prepared-plan=block"})
	if err != nil {
		t.Fatal(err)
	}
	report := evaluate(t, Options{Levels: levels}, judged("1.sql", "DROP TABLE a; ALTER TABLE b ADD c int", dialect.Autocommit))
	if diff := cmp.Diff([]string{"1:1 lock-timeout warn", "1:29 prepared-plan block"}, told(report)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, setting := range []string{"drop-tabel=off", "drop-table=never", "drop-table"} {
		if _, err := Levels([]string{setting}); err == nil {
			t.Errorf("level %q was accepted", setting)
		}
	}
}

func TestAcknowledgementNeedsAReason(t *testing.T) {
	text := "-- bluegreen:allow drop-table\nDROP TABLE a;\n  -- bluegreen:allow drop-tabel it is old\nDROP TABLE b;"
	_, err := Evaluate([]dialect.Migration{judged("1.sql", text, dialect.Autocommit)}, Catalogue(), Options{})
	var problems release.Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("got %v, want two problems", err)
	}
	if got := problems[0].Error(); got != "1.sql:1:1: acknowledge drop-table: the reason is missing" {
		t.Errorf("got %s", got)
	}
	if got := problems[1].Error(); !strings.HasPrefix(got, "1.sql:3:3: acknowledge: no rule is called") || problems[1].Remedy != "did you mean drop-table?" {
		t.Errorf("got %s (%s)", got, problems[1].Remedy)
	}
}

func TestMissingDown(t *testing.T) {
	for down, want := range map[string][]string{"": {"1:1 missing-down warn"}, "SELECT 1": {}, "DROP ${x}": {"1:1 missing-down warn"}} {
		migration := judged("1.sql", "CREATE TABLE a (id int)", dialect.Whole)
		migration.Sections[0].Keeps, migration.Sections[0].Down = true, down
		if diff := cmp.Diff(want, told(evaluate(t, Options{}, migration))); diff != "" {
			t.Errorf("down %q: -want +got:\n%s", down, diff)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for _, text := range []string{"11", "19", "x", "16.x", "16.-1", "16.99999999999999999999"} {
		if version, err := ParseVersion(text); err == nil {
			t.Errorf("%q was read as %s", text, version)
		}
	}
}

// FuzzEvaluate holds for every text: no panic, and every finding says where it
// is and what breaks.
func FuzzEvaluate(f *testing.F) {
	for _, rule := range Catalogue() {
		f.Add(rule.Bad, byte(0))
		f.Add(rule.Good, byte(1))
	}
	f.Add("BEGIN; DROP VIEW a; CREATE VIEW a AS SELECT 1; ROLLBACK; COMMIT; ALTER TABLE a RENAME TO b", byte(2))
	f.Add("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT f() $$; SELECT f()", byte(3))
	f.Fuzz(func(t *testing.T, text string, transaction byte) {
		report, err := Evaluate([]dialect.Migration{history(ExampleSchema), judged("1.sql", text, dialect.Transaction(transaction%4))}, Catalogue(), Options{})
		if err != nil {
			return // an acknowledgement without a reason
		}
		for _, finding := range report.Findings {
			if finding.Line < 1 || finding.Column < 1 || finding.Problem == "" || finding.Breaks == "" || finding.Class == "" {
				t.Fatalf("%q: %+v", text, finding)
			}
		}
	})
}

// TestNoSecretIsTold tries every statement that may hold a password, and every
// way to hide one in another statement.
func TestNoSecretIsTold(t *testing.T) {
	statements := []string{
		"ALTER ROLE app PASSWORD '%s'", "ALTER USER app ENCRYPTED PASSWORD E'%s'", "ALTER GROUP app PASSWORD $$%s$$", "CREATE ROLE a PASSWORD '%s'", "CREATE USER a PASSWORD '%s'",
		"ALTER ROLE app SET app.key = '%s'", "ALTER DATABASE shop SET app.key = '%s'", "ALTER SYSTEM SET primary_conninfo = '%s'", "SET app.key = '%s'",
		"CREATE SUBSCRIPTION s CONNECTION '%s' PUBLICATION p", "ALTER SUBSCRIPTION s CONNECTION '%s'",
		"CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (password '%s')", "ALTER SERVER s OPTIONS (SET password '%s')",
		"CREATE USER MAPPING FOR app SERVER s OPTIONS (password '%s')", "ALTER USER MAPPING FOR app SERVER s OPTIONS (SET password '%s')",
		"CREATE FOREIGN TABLE f (id int) SERVER s OPTIONS (password '%s')", "ALTER FOREIGN TABLE f OPTIONS (SET password '%s')",
		"ALTER FOREIGN DATA WRAPPER w OPTIONS (SET password '%s')", "ALTER TABLE orders ALTER note OPTIONS (SET key '%s')",
		"ALTER FUNCTION f() SET app.key = '%s'", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT ''%s'''; SELECT f()",
		"CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION post('%s')",
		"UPDATE orders SET note = '%s'", "SELECT dblink('%s', 'DROP TABLE orders')", "CALL mystery('%s')", "EXECUTE login('%s')", "COPY orders FROM PROGRAM '%s'",
		"ALTER TABLE orders ALTER note SET DEFAULT '%s'", "ALTER TABLE orders ADD CHECK (lower(note) <> '%s') NOT VALID", "ALTER DOMAIN d ADD CHECK (VALUE <> '%s')",
		"CREATE INDEX ON orders (note) WHERE note <> '%s'", "REVOKE SELECT ON orders FROM app /* %s */",
		"ALTER TABLE orders ALTER note TYPE bytea USING pgp_sym_encrypt(note, '%s')",
		"ALTER TABLE events ATTACH PARTITION e FOR VALUES FROM ('%s') TO ('z')",
		`\connect postgres://app:%s@db/shop`, "\\connect\tpassword=%s", `\password %s`,
		"ALTER ROLE app PASSWORD '%s", "ALTER ROLE app PASSWORD $$%s", "'%s'", "ALTER TABLE orders ADD '%s'",
		"DO $$ BEGIN ALTER TABLE orders DROP COLUMN note; EXECUTE format('ALTER ROLE app PASSWORD %%L', '%s'); END $$",
		"DO $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''%s'''; ALTER TABLE carts RENAME TO baskets; END $$", "DO '%s' LANGUAGE plperl",
	}
	for _, text := range statements {
		text = fmt.Sprintf(text, "canary")
		for _, transaction := range []dialect.Transaction{dialect.Autocommit, dialect.Whole, dialect.Message} {
			report := evaluate(t, Options{}, history(ExampleSchema), judged("1.sql", text, transaction))
			written, err := json.Marshal(report)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(written), "canary") {
				t.Errorf("%s: a string is told:\n%s", text, written)
			}
		}
	}
}
