package migration

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
)

// repeated is a text so many times, with its number for each #.
func repeated(count int, text string) string {
	var all strings.Builder
	for number := range count {
		all.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(number)))
	}
	return all.String()
}

// allocated is how many bytes judging a text takes in all: the work, counted
// by what no clock and no other process changes.
func allocated(t *testing.T, text string) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	evaluate(t, Options{}, history(ExampleSchema), judged("1.sql", text, dialect.Whole))
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestWorkGrowsAsTheFileDoes judges files of one size and of eight times that.
func TestWorkGrowsAsTheFileDoes(t *testing.T) {
	for name, text := range map[string]func(count int) string{
		"columns in code": func(n int) string {
			return "DO $$ BEGIN\n" + repeated(n, "ALTER TABLE orders ADD COLUMN c# int;\n") + "END $$"
		},
		"columns in one ALTER": func(n int) string { return "ALTER TABLE orders " + repeated(n, "ADD COLUMN c# int,\n") + "ADD z int" },
		"columns":              func(n int) string { return repeated(n, "ALTER TABLE orders ADD COLUMN c# int;\n") },
		"findings in code": func(n int) string {
			return "DO $$ BEGIN\n" + repeated(n, "ALTER TABLE orders DROP COLUMN c#;\n") + "END $$"
		},
		"findings in one DROP": func(n int) string { return "DROP VIEW " + repeated(n, "v#, ") + "z" },
		"what is made again": func(n int) string {
			return "DO $$ BEGIN\n" + repeated(n, "DROP VIEW v#; CREATE VIEW v# AS SELECT 1;\n") + "END $$"
		},
		"proofs": func(n int) string {
			return repeated(n, "ALTER TABLE orders ADD CONSTRAINT a# CHECK (a# IS NOT NULL); ALTER TABLE orders ALTER a# SET NOT NULL;\n")
		},
		"calls": func(n int) string {
			return "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP VIEW v; END $$; DO $$ BEGIN " + repeated(n, "PERFORM f();\n") + "END $$"
		},
		"savepoints": func(n int) string {
			return repeated(n, "CREATE TABLE t# (a int);\n") + repeated(n, "SAVEPOINT s; INSERT INTO t# VALUES (1); ROLLBACK TO s;\n")
		},
		"savepoints that stay": func(n int) string {
			return repeated(n, "SAVEPOINT s; CREATE TABLE t# (a int);\n") + repeated(n, "ROLLBACK TO s; RELEASE s;\n")
		},
		"transactions": func(n int) string {
			return "COMMIT;\n" + repeated(n, "CREATE TABLE t# (a int);\n") + repeated(n, "BEGIN; INSERT INTO t# VALUES (1); COMMIT;\n") + "BEGIN; ROLLBACK;"
		},
		"transactions that are undone": func(n int) string {
			return "COMMIT;\n" + repeated(n, "CREATE TABLE t# (a int);\n") + repeated(n, "BEGIN; ALTER TABLE t# ADD b int; ROLLBACK;\n")
		},
		"parentheses": func(n int) string {
			return "ALTER TABLE orders ADD CHECK (" + strings.Repeat("a AND (", n) + "a" + strings.Repeat(")", n+1)
		},
	} {
		const count, times = 250, 8
		small, large := allocated(t, text(count)), allocated(t, text(count*times))
		if large > 2*times*small {
			t.Errorf("%s: a file of %d times the size takes %d times the work (%d to %d bytes)", name, times, large/small, small, large)
		}
	}
}

// TestFunctionsThatCallEachOther would be 10^8 calls if each were followed.
func TestFunctionsThatCallEachOther(t *testing.T) {
	text := ""
	for number := range 8 {
		text += fmt.Sprintf("CREATE FUNCTION f%d() RETURNS void LANGUAGE plpgsql AS $$ BEGIN %s DROP VIEW v%d; END $$;\n",
			number, strings.Repeat(fmt.Sprintf("PERFORM f%d(); ", number+1), 10), number)
	}
	report := evaluate(t, Options{}, judged("1.sql", text+"SELECT f0()", dialect.Autocommit))
	if len(report.Findings) != 8 {
		t.Errorf("found %q, want one view of each function", told(report))
	}
}

func TestAStatementOfManyFindings(t *testing.T) {
	text := "SET lock_timeout = '2s';\n-- bluegreen:allow prepared-plan it names its columns\nDO $$ BEGIN\n" + repeated(60, "ALTER TABLE orders DROP COLUMN c#;\n") + "END $$"
	report := evaluate(t, Options{}, judged("1.sql", text, dialect.Autocommit))
	if blocking, _, acknowledged := report.Count(); blocking != mostTold || acknowledged != 1 {
		t.Errorf("%d block and %d are acknowledged, want %d and 1", blocking, acknowledged, mostTold)
	}
	last := report.Findings[len(report.Findings)-1]
	if want := "column c49 of orders is dropped (and 10 more like this in the statement)"; last.Problem != want {
		t.Errorf("the last finding is %q, want %q", last.Problem, want)
	}
}
