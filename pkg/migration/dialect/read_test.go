package dialect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// folder writes files, by their names, into a folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// told are migrations on one line each: the name, the dialect, and each
// section's way to commit, its lines, and its way down.
func told(root string, migrations []Migration) []string {
	var lines []string
	for _, migration := range migrations {
		name, _ := filepath.Rel(root, filepath.FromSlash(migration.Path))
		line := fmt.Sprintf("%s %s", filepath.ToSlash(name), migration.Dialect)
		for _, section := range migration.Sections {
			line += fmt.Sprintf(" %d[%s]", section.Transaction, words(section.Text))
			if section.Keeps {
				line += fmt.Sprintf(" down[%s]", words(section.Down))
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// words is text with the number of each line that is not empty.
func words(text string) string {
	var kept []string
	for number, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) != "" {
			kept = append(kept, fmt.Sprintf("%d:%s", number+1, strings.TrimSpace(line)))
		}
	}
	return strings.Join(kept, " ")
}

func TestRead(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"plain files, numbers as numbers, hidden folders left out", map[string]string{"10.sql": "A", "9.sql": "B", ".git/1.sql": "C", "readme.md": "D"},
			[]string{"9.sql sql 0[1:B]", "10.sql sql 0[1:A]"}},
		{"golang-migrate", map[string]string{"2_b.up.sql": "B", "10_c.up.sql": "C", "2_b.down.sql": "NOT B"},
			[]string{"2_b.up.sql golang-migrate 2[1:B] down[1:NOT B]", "10_c.up.sql golang-migrate 2[1:C] down[]"}},
		{"goose", map[string]string{
			"1_a.sql": "-- +goose Up\n-- +goose StatementBegin\nA;\n-- +goose StatementEnd\n\n-- +goose Down\nNOT A;\n",
			"2_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nB;\n"},
			[]string{"1_a.sql goose 1[2:-- +goose StatementBegin 3:A; 4:-- +goose StatementEnd] down[7:NOT A;]", "2_b.sql goose 0[3:B;] down[]"}},
		{"dbmate", map[string]string{"1.sql": "-- migrate:up transaction:false\nA\n-- migrate:down\nB"}, []string{"1.sql dbmate 0[2:A] down[4:B]"}},
		{"Flyway", map[string]string{"V1.10__c.sql": "C", "V1.2__b.sql": "B", "V1.2__b.sql.conf": "executeInTransaction=false", "U1.2__b.sql": "X", "R__a.sql": "A"},
			[]string{"V1.2__b.sql flyway 0[1:B]", "V1.10__c.sql flyway 3[1:C]", "R__a.sql flyway 3[1:A]"}},
		{"Liquibase", map[string]string{"a.sql": "--liquibase formatted sql\n--changeset me:1\nA\n--rollback NOT A\n--changeset me:2 runInTransaction:false\nB\n"},
			[]string{"a.sql liquibase 1[3:A 4:--rollback NOT A] down[1:not a] 0[6:B] down[]"}},
		{"Prisma", map[string]string{"20250102_b/migration.sql": "B", "20250101_a/migration.sql": "A"},
			[]string{"20250101_a/migration.sql prisma 2[1:A]", "20250102_b/migration.sql prisma 2[1:B]"}},
		{"Atlas", map[string]string{"1.sql": "A", "2.sql": "-- atlas:txmode none\nB", "atlas.sum": "h1:"},
			[]string{"1.sql atlas 1[1:A]", "2.sql atlas 0[1:-- atlas:txmode none 2:B]"}},
		{"Sqitch", map[string]string{"sqitch.plan": "%project=x\n\nusers 2025 a\napples [users] 2025 a\n", "deploy/apples.sql": "A", "deploy/users.sql": "U", "revert/users.sql": "NOT U", "verify/users.sql": "V"},
			[]string{"deploy/users.sql sqitch 0[1:U] down[1:NOT U]", "deploy/apples.sql sqitch 0[1:A] down[]"}},
	} {
		root := folder(t, test.files)
		migrations, err := Read([]string{root}, "")
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, told(root, migrations)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
	}
}

func TestAFileIsNamedBesideItsFolder(t *testing.T) {
	root := folder(t, map[string]string{"1.sql": "A", "2.sql": "B", "3.sql": "C"})
	migrations, err := Read([]string{root + "/", filepath.Join(root, ".", "2.sql")}, "")
	if err != nil {
		t.Fatal(err)
	}
	var named []bool
	for _, migration := range migrations {
		named = append(named, migration.Named)
	}
	if diff := cmp.Diff([]bool{false, true, false}, named); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	root := folder(t, map[string]string{"a.txt": "x"})
	if _, err := Read([]string{root}, ""); err == nil || release.HintOf(err) == "" {
		t.Errorf("a folder without migrations: %v", err)
	}
	if _, err := Read([]string{filepath.Join(root, "missing")}, ""); err == nil {
		t.Error("a path that is not there was read")
	}
	if _, err := Read([]string{root}, "flywya"); err == nil || !strings.Contains(release.HintOf(err), Flyway) {
		t.Errorf("an unknown dialect: %v", err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "1.sql")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read([]string{root}, ""); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a link in the folder: %v", err)
	}
}

func TestSince(t *testing.T) {
	root := folder(t, map[string]string{"db/1.sql": "A", "db/2.sql": "B"})
	run := func(arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@b"}, arguments...)...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", arguments, err, output)
		}
	}
	migrations := func() []Migration {
		t.Helper()
		found, err := Read([]string{filepath.Join(root, "db")}, "")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if err := Since(t.Context(), "main", migrations()); err == nil || !strings.Contains(err.Error(), "is in no git repository") {
		t.Errorf("outside of a repository: %v", err)
	}
	run("init", "-q", "-b", "main")
	run("add", ".")
	run("commit", "-qm", "first")
	run("switch", "-qc", "work")
	if err := os.WriteFile(filepath.Join(root, "db", "3.sql"), []byte("C"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("add", ".")
	run("commit", "-qm", "second")
	if err := os.WriteFile(filepath.Join(root, "db", "2.sql"), []byte("B, changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "db", "4.sql"), []byte("D"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := migrations()
	if err := Since(t.Context(), "main", found); err != nil {
		t.Fatal(err)
	}
	var named []bool
	for _, migration := range found {
		named = append(named, migration.Named)
	}
	if diff := cmp.Diff([]bool{false, true, true, true}, named); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, reference := range []string{"nowhere", "--output=x"} {
		if err := Since(t.Context(), reference, found); err == nil || !strings.Contains(err.Error(), "git knows no such commit") {
			t.Errorf("since %s: %v", reference, err)
		}
	}
	t.Setenv("PATH", "")
	if err := Since(t.Context(), "main", found); err == nil || !strings.Contains(release.HintOf(err), "install git") {
		t.Errorf("without git: %v", err)
	}
}
