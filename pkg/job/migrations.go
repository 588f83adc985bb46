package job

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"unicode/utf8"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// packMigrations reads the migrations that a release names, which the checks of
// the Job judge again.
func packMigrations(found map[string]string, database release.Database, home string) error {
	if database.Migrations == nil {
		return nil
	}
	var paths []string
	for _, path := range database.Migrations.Paths {
		path = filepath.Join(home, path)
		if _, err := release.Inside(home, path); err != nil {
			return fmt.Errorf("pack the migrations of database %s: %w", database.Name, err)
		}
		paths = append(paths, path)
	}
	files, err := dialect.Files(paths)
	if err != nil {
		return fmt.Errorf("pack the migrations of database %s: %w", database.Name, err)
	}
	rolePassword := regexp.MustCompile(`(?i)\bpassword\s+'`)
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // the Release names it
		switch {
		case err != nil:
			return fmt.Errorf("pack the migrations of database %s: %w", database.Name, err)
		case !utf8.Valid(text):
			return fmt.Errorf("pack the migrations of database %s: %s is not text in UTF-8", database.Name, file)
		case release.HoldsPassword(string(text)) || rolePassword.Match(text):
			return release.WithHint(
				fmt.Errorf("pack the migrations of database %s: %s: a password seems to stand in it, and secrets are never stored with a run", database.Name, file),
				"give roles their passwords outside of migrations, and name in spec.database[].migrations this release's files alone")
		}
		found[file] = string(text)
	}
	return nil
}
