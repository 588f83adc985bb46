package job

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The checks of a Job judge what was judged here: the migrations go along, with what
// takes them back, and none in which a password stands.
func TestPackTakesTheMigrationsAlong(t *testing.T) {
	const secret = "s3cr3t-of-ana"
	for name, test := range map[string]struct {
		sql, says string
	}{
		"plain":                {"CREATE TABLE a (id int);", ""},
		"a role's password":    {"CREATE ROLE ana PASSWORD '" + secret + "';", "a password seems to stand in it"},
		"a connection string":  {"SELECT 'postgres://ana:" + secret + "@db/shop';", "a password seems to stand in it"},
		"what is not any text": {"\xff\xfe", "is not text in UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			rel := declaring()
			rel.Spec.Databases = []release.Database{{Name: "main", Migrations: &release.Migrations{Paths: []string{"db"}}}}
			home := folder(t, ".", map[string]string{"db/1.up.sql": test.sql, "db/1.down.sql": "DROP TABLE a;", "db/readme.md": "x"})
			bundle, err := Pack(rel, []byte("kind: Release"), home)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error()+release.HintOf(err), secret) {
					t.Errorf("err = %v, want it to say %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for _, file := range bundle.Manifests {
				paths = append(paths, file.Path)
			}
			if diff := cmp.Diff([]string{"db/1.down.sql", "db/1.up.sql"}, paths); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
