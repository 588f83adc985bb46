package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// migrates makes facts of a release with one migration.
func migrates(sql string) func(*Facts) {
	return func(f *Facts) {
		home, err := os.MkdirTemp("", "migrates-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(home)
		f.Release.Spec.Databases[0].Migrations.Paths = []string{"1.sql"}
		f.Migrations = judgedIn(home, f.Release, map[string]string{"1.sql": sql})
	}
}

// judgedIn judges the migrations of a release whose document lies in a folder with
// files.
func judgedIn(home string, rel *release.Release, files map[string]string) map[string]Fact[Migrations] {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	in := Inputs{Release: rel, Document: filepath.Join(home, "bluegreen.yaml"), Migrations: map[string][]string{}}
	for _, path := range rel.Spec.Databases[0].Migrations.Paths {
		in.Migrations["main"] = append(in.Migrations["main"], filepath.Join(home, path))
	}
	return judgedMigrations(in)
}

const (
	dropsNote   = "ALTER TABLE orders DROP COLUMN note;\n"
	letsNullIn  = "SET lock_timeout = '1s';\nALTER TABLE orders ALTER note DROP NOT NULL;\n"
	letsNullIn2 = "SET lock_timeout = '1s';\n-- bluegreen:allow drop-not-null the old version reads null as none\nALTER TABLE orders ALTER note DROP NOT NULL;\n"
)

func TestMigrationsAreJudgedAsDeclared(t *testing.T) {
	for name, test := range map[string]struct {
		declared release.Migrations
		want     []string // outcome, file:line:column of each finding
	}{
		"each of a folder by itself":        {release.Migrations{Paths: []string{"."}}, []string{"fail 1.sql:1:20", "warn 1.sql:1:20", "fail 1.sql:1:20", "warn 2.sql:2:20", "pass 3.sql:3:20"}},
		"what is new":                       {release.Migrations{Paths: []string{"."}, After: "1.sql"}, []string{"warn 2.sql:2:20", "pass 3.sql:3:20", "pass spec.database[0].migrations.after"}},
		"nothing is new":                    {release.Migrations{Paths: []string{"."}, After: "3.sql"}, []string{"pass spec.database[0].migrations.after"}},
		"a file beside its folder":          {release.Migrations{Paths: []string{".", "2.sql"}}, []string{"warn 2.sql:2:20", "pass spec.database[0].migrations.paths"}},
		"acknowledged":                      {release.Migrations{Paths: []string{"3.sql"}}, []string{"pass 3.sql:3:20"}},
		"levels":                            {release.Migrations{Paths: []string{"2.sql"}, Levels: []string{"drop-not-null=block"}}, []string{"fail 2.sql:2:20"}},
		"off":                               {release.Migrations{Paths: []string{"2.sql"}, Levels: []string{"drop-not-null=off"}}, []string{"pass -"}},
		"a rule that there is not":          {release.Migrations{Paths: []string{"2.sql"}, Levels: []string{"drop-nul=off"}}, []string{"fail spec.database[0].migrations.levels"}},
		"a dialect that there is not":       {release.Migrations{Paths: []string{"2.sql"}, Dialect: "gooze"}, []string{"fail spec.database[0].migrations.dialect"}},
		"a version that there is not":       {release.Migrations{Paths: []string{"2.sql"}, PostgresVersion: "9.6"}, []string{"fail spec.database[0].migrations.postgresVersion"}},
		"a last one that there is not":      {release.Migrations{Paths: []string{"."}, After: "0.sql"}, []string{"fail spec.database[0].migrations.after"}},
		"a path that is missing":            {release.Migrations{Paths: []string{"2.sql", "4.sql"}}, []string{"fail spec.database[0].migrations.paths[1]"}},
		"a link that leads somewhere else":  {release.Migrations{Paths: []string{"away"}}, []string{"fail spec.database[0].migrations.paths[0]"}},
		"a link that leads to a file there": {release.Migrations{Paths: []string{"near"}}, []string{"warn 2.sql:2:20"}},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			for link, to := range map[string]string{"away": t.TempDir(), "near": "2.sql"} {
				if err := os.Symlink(to, filepath.Join(home, link)); err != nil {
					t.Fatal(err)
				}
			}
			facts := healthy()
			facts.Release.Spec.Databases[0].Migrations = &test.declared
			facts.Migrations = judgedIn(home, facts.Release, map[string]string{"1.sql": dropsNote, "2.sql": letsNullIn, "3.sql": letsNullIn2})
			var got []string
			for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StagePR), "BG-DB-08") {
				place := "-"
				switch {
				case finding.Position != nil:
					place = fmt.Sprintf("%s:%d:%d", filepath.Base(finding.Position.File), finding.Position.Line, finding.Position.Column)
				case finding.Field != "":
					place = finding.Field
				}
				got = append(got, string(finding.Outcome)+" "+place)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Only what nobody has acknowledged, and what a rollback of the traffic can't live
// with, keeps a release from going back by itself.
func TestIrreversibleMigrations(t *testing.T) {
	down := map[string]string{"1.up.sql": letsNullIn, "1.down.sql": "ALTER TABLE orders ALTER note SET NOT NULL;"}
	for name, test := range map[string]struct {
		files    map[string]string
		declared release.Migrations
		want     int
	}{
		"null is let in":          {map[string]string{"1.sql": letsNullIn}, release.Migrations{Paths: []string{"."}}, 1},
		"acknowledged":            {map[string]string{"1.sql": letsNullIn2}, release.Migrations{Paths: []string{"."}}, 0},
		"no finding":              {map[string]string{"1.sql": letsNullIn}, release.Migrations{Paths: []string{"."}, Levels: []string{"drop-not-null=off"}}, 0},
		"it blocks":               {map[string]string{"1.sql": dropsNote}, release.Migrations{Paths: []string{"."}}, 0},
		"a way down is none back": {down, release.Migrations{Paths: []string{"."}}, 1},
		"no way down":             {map[string]string{"1.up.sql": "CREATE TABLE a (id int);"}, release.Migrations{Paths: []string{"."}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthy()
			facts.Release.Spec.Databases[0].Migrations = &test.declared
			facts.Migrations = judgedIn(t.TempDir(), facts.Release, test.files)
			report := Evaluate(facts, Catalogue(), StageDeploy)
			if len(report.Irreversible) != test.want {
				t.Errorf("irreversible: %q, want %d", report.Irreversible, test.want)
			}
		})
	}
}

// A remedy names what stands in the Release, for check has no such flag, and what
// explains the rule.
func TestRemediesOfMigrationsAreOfTheRelease(t *testing.T) {
	facts := healthy()
	facts.Release.Spec.Databases[0].Migrations = &release.Migrations{Paths: []string{"1.sql"}}
	facts.Migrations = judgedIn(t.TempDir(), facts.Release, map[string]string{"1.sql": dropsNote})
	for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StagePR), "BG-DB-08") {
		rule := finding.Evidence["rule"]
		if strings.Contains(finding.Remedy, "--level") || !strings.HasSuffix(finding.Remedy, "; to know more: kubectl bluegreen explain "+rule) {
			t.Errorf("the remedy of %s: %s", rule, finding.Remedy)
		}
		if rule == "lock-timeout" && !strings.Contains(finding.Remedy, "say so with levels: [lock-timeout=off] among the migrations of the Release") {
			t.Errorf("the remedy of %s: %s", rule, finding.Remedy)
		}
	}
}
