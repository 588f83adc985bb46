package dialect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files are those that Read of the same paths would look at, sorted: the
// migrations, and what beside them says how they are applied and taken back.
func Files(paths []string) ([]string, error) {
	var files []string
	for _, argument := range paths {
		found, _, err := list(argument)
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			files = append(files, one)
			for _, beside := range companions(one) {
				if about, err := os.Stat(beside); err == nil && about.Mode().IsRegular() {
					files = append(files, beside)
				}
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// companions are the files that tools may keep beside a migration.
func companions(migration string) []string {
	folder, base := filepath.Split(migration)
	beside := []string{migration + ".conf", filepath.Join(folder, "atlas.sum")}
	if up, is := strings.CutSuffix(migration, ".up.sql"); is {
		beside = append(beside, up+".down.sql")
	}
	if filepath.Base(filepath.Clean(folder)) == "deploy" {
		beside = append(beside, filepath.Join(folder, "..", "sqitch.plan"), filepath.Join(folder, "..", "revert", base))
	}
	return beside
}
