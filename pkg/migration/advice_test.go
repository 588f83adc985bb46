package migration

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
)

// TestAdvice holds what a finding says to run instead, of which nothing that this
// release runs may block.
func TestAdvice(t *testing.T) {
	const later = "-- a later release"
	for _, test := range []struct {
		name, rule, sql string
		want            []string
		remedy          string // words of it, where more than the rule's own has to fit
	}{
		{name: "a conversion of its own", rule: "change-type", sql: "ALTER TABLE logins ALTER made_at TYPE timestamptz USING made_at AT TIME ZONE 'UTC'", want: []string{
			"ALTER TABLE logins ADD COLUMN made_at_new timestamp with time zone; -- this release writes both",
			"UPDATE logins SET made_at_new = made_at at time zone 'UTC' WHERE made_at_new IS NULL; -- in parts",
			"-- a later release, when no version that may come back uses made_at",
			"-- with its NOT NULL and its DEFAULT, which made_at_new gets first",
			"ALTER TABLE logins DROP COLUMN made_at;"}},
		{name: "no conversion, and a column with nothing else", rule: "change-type", sql: "ALTER TABLE orders ALTER quantity TYPE bigint", want: []string{
			"ALTER TABLE orders ADD COLUMN quantity_new bigint; -- this release writes both",
			"UPDATE orders SET quantity_new = quantity WHERE quantity_new IS NULL; -- in parts",
			"-- a later release, when no version that may come back uses quantity",
			"ALTER TABLE orders DROP COLUMN quantity;"}},
		{name: "a column that is not known", rule: "change-type", sql: "ALTER TABLE others ALTER a TYPE bytea USING encrypt(a, 'a key')", want: []string{
			"ALTER TABLE others ADD COLUMN a_new bytea; -- this release writes both",
			"UPDATE others SET a_new = encrypt(a, '…') WHERE a_new IS NULL; -- in parts",
			"-- a later release, when no version that may come back uses a",
			"-- with the NOT NULL and the DEFAULT that it may have, which a_new gets first",
			"ALTER TABLE others DROP COLUMN a;"}},
		{name: "an index that may be invalid", rule: "invalid-index", sql: "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (id) WHERE note <> 'x'", want: []string{
			"DROP INDEX CONCURRENTLY IF EXISTS i;",
			"CREATE INDEX CONCURRENTLY i on orders (id) where note <> '…';"}},
		{name: "a domain", rule: "rewrite-table", sql: "ALTER TABLE orders ADD COLUMN q pos DEFAULT 1", remedy: "the plain type that is behind domain pos"},
		{name: "a default of a domain", rule: "rewrite-table", sql: "ALTER TABLE orders ADD COLUMN q pos DEFAULT random()", remedy: "the plain type that is behind domain pos"},
		{name: "a default for each row", rule: "rewrite-table", sql: "ALTER TABLE orders ADD COLUMN q float DEFAULT random()", remedy: "add the column empty", want: []string{
			"ALTER TABLE orders ADD COLUMN q double precision;",
			"ALTER TABLE orders ALTER COLUMN q SET DEFAULT random();",
			"UPDATE orders SET q = random() WHERE q IS NULL; -- in parts"}},
		{name: "a number for each row", rule: "rewrite-table", sql: "ALTER TABLE orders ADD COLUMN q serial", remedy: "let a sequence be its default"},
		{name: "a generated column", rule: "rewrite-table", sql: "ALTER TABLE orders ADD COLUMN q int GENERATED ALWAYS AS (quantity + 1) STORED", remedy: "fill by a trigger"},
		{name: "another type", rule: "rewrite-table", sql: "ALTER TABLE orders ALTER quantity TYPE bigint", remedy: "add a column of the new type"},
		{name: "another expression", rule: "rewrite-table", sql: "ALTER TABLE orders ALTER quantity SET EXPRESSION AS (1)", remedy: "go over to it"},
		{name: "VACUUM FULL", rule: "rewrite-table", sql: "VACUUM FULL orders", remedy: "a maintenance window, or, where it is VACUUM FULL or CLUSTER, with pg_repack"},
		{name: "CLUSTER", rule: "rewrite-table", sql: "CLUSTER orders USING orders_pkey", remedy: "leave it out of the release"},
		{name: "SET UNLOGGED", rule: "rewrite-table", sql: "ALTER TABLE orders SET UNLOGGED", remedy: "leave it out of the release"},
	} {
		before := history(ExampleSchema + "CREATE TABLE logins (made_at timestamp NOT NULL DEFAULT now()); CREATE DOMAIN pos AS int CHECK (value > 0);")
		found := evaluate(t, Options{}, before, judged("1.sql", test.sql, dialect.Autocommit)).Findings
		at := slices.IndexFunc(found, func(f Finding) bool { return f.Rule == test.rule })
		if at < 0 {
			t.Errorf("%s: %s is not told", test.name, test.rule)
			continue
		}
		advice := found[at].Safe
		if !strings.Contains(found[at].Remedy, test.remedy) {
			t.Errorf("%s: got %q, want %q", test.name, found[at].Remedy, test.remedy)
		}
		if diff := cmp.Diff(test.want, advice); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
		if end := slices.IndexFunc(advice, func(line string) bool { return strings.HasPrefix(line, later) }); end >= 0 {
			advice = advice[:end]
		}
		text := strings.Join(append([]string{"SET lock_timeout = '2s';"}, advice...), "\n")
		if report := evaluate(t, Options{}, before, judged("1.sql", text, dialect.Autocommit)); report.Blocked() {
			t.Errorf("%s: what to run instead is blocked: %q", test.name, told(report))
		}
	}
}
