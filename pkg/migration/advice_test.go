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
	}{
		{"a conversion of its own", "change-type", "ALTER TABLE logins ALTER made_at TYPE timestamptz USING made_at AT TIME ZONE 'UTC'", []string{
			"ALTER TABLE logins ADD COLUMN made_at_new timestamp with time zone; -- this release writes both",
			"UPDATE logins SET made_at_new = made_at at time zone 'UTC' WHERE made_at_new IS NULL; -- in parts",
			"-- a later release, when no version that may come back uses made_at",
			"-- with its NOT NULL and its DEFAULT, which made_at_new gets first",
			"ALTER TABLE logins DROP COLUMN made_at;"}},
		{"no conversion, and a column with nothing else", "change-type", "ALTER TABLE orders ALTER quantity TYPE bigint", []string{
			"ALTER TABLE orders ADD COLUMN quantity_new bigint; -- this release writes both",
			"UPDATE orders SET quantity_new = quantity WHERE quantity_new IS NULL; -- in parts",
			"-- a later release, when no version that may come back uses quantity",
			"ALTER TABLE orders DROP COLUMN quantity;"}},
		{"a column that is not known", "change-type", "ALTER TABLE others ALTER a TYPE bytea USING encrypt(a, 'a key')", []string{
			"ALTER TABLE others ADD COLUMN a_new bytea; -- this release writes both",
			"UPDATE others SET a_new = encrypt(a, '…') WHERE a_new IS NULL; -- in parts",
			"-- a later release, when no version that may come back uses a",
			"-- with the NOT NULL and the DEFAULT that it may have, which a_new gets first",
			"ALTER TABLE others DROP COLUMN a;"}},
		{"an index that may be invalid", "invalid-index", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (id) WHERE note <> 'x'", []string{
			"DROP INDEX CONCURRENTLY IF EXISTS i;",
			"CREATE INDEX CONCURRENTLY i on orders (id) where note <> '…';"}},
	} {
		before := history(ExampleSchema + "CREATE TABLE logins (made_at timestamp NOT NULL DEFAULT now());")
		found := evaluate(t, Options{}, before, judged("1.sql", test.sql, dialect.Autocommit)).Findings
		at := slices.IndexFunc(found, func(f Finding) bool { return f.Rule == test.rule })
		if at < 0 {
			t.Errorf("%s: %s is not told", test.name, test.rule)
			continue
		}
		advice := found[at].Safe
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
