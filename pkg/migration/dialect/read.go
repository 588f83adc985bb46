package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// largest bounds the size of one file, in bytes: of a migration that is larger,
// most is data.
const largest = 32 << 20

// Read reads the migrations of files and folders, of each argument in the
// order in which the tool applies them. A file that is named is Named, also
// beside its folder, which gives it its place and what came before. Name is one of Names, or "" to find
// out by the files themselves.
func Read(paths []string, name string) ([]Migration, error) {
	known, err := chosen(name)
	if err != nil {
		return nil, err
	}
	var migrations []Migration
	seen := map[string]bool{}
	also := map[string]bool{} // files that were named beside their folder
	for _, argument := range paths {
		found, named, err := list(argument)
		if err != nil {
			return nil, err
		}
		var some []Migration
		for _, one := range found {
			also[one] = also[one] || named
			if seen[one] {
				continue
			}
			seen[one] = true
			migration, applies, err := load(one, known)
			if err != nil {
				return nil, err
			}
			if applies {
				some = append(some, migration)
			}
		}
		slices.SortStableFunc(some, inOrder)
		migrations = append(migrations, some...)
	}
	for i := range migrations {
		migrations[i].Named = also[filepath.FromSlash(migrations[i].Path)]
	}
	if len(migrations) == 0 {
		return nil, release.WithHint(fmt.Errorf("find migrations in %s: there is no .sql file that goes up", strings.Join(paths, ", ")),
			"name the folder, or the files, of the migrations")
	}
	return migrations, nil
}

// chosen are the dialects to try.
func chosen(name string) ([]dialect, error) {
	if name == "" {
		return dialects(), nil
	}
	for _, known := range dialects() {
		if known.name == name {
			known.owns = func(file) bool { return true }
			return []dialect{known}, nil
		}
	}
	return nil, release.WithHint(fmt.Errorf("unknown dialect %q", name), "one of: "+strings.Join(Names(), ", "))
}

// list finds the .sql files of an argument, and reports whether it is a file
// itself.
func list(argument string) (paths []string, named bool, err error) {
	about, err := os.Stat(argument)
	if err != nil {
		return nil, false, fmt.Errorf("find migrations: %w", err)
	}
	if !about.IsDir() {
		return []string{filepath.Clean(argument)}, true, nil
	}
	argument = filepath.Clean(argument)
	err = filepath.WalkDir(argument, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != argument && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(strings.ToLower(entry.Name()), ".sql"):
			return nil
		case !entry.Type().IsRegular():
			return release.WithHint(fmt.Errorf("read %s: it is no regular file", path), "put the file itself into the folder: a link in one is not followed")
		}
		paths = append(paths, path)
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("find migrations: %w", err)
	}
	return paths, false, nil
}

// load reads one file, and reports whether it goes up.
func load(path string, known []dialect) (Migration, bool, error) {
	text, err := readFile(path)
	if err != nil {
		return Migration{}, false, err
	}
	found := file{path: filepath.ToSlash(path), text: text, beside: namesBeside(path), read: func(path string) string {
		text, err := readFile(filepath.FromSlash(path))
		if err != nil {
			return ""
		}
		return text
	}}
	for _, one := range known {
		if !one.owns(found) {
			continue
		}
		if one.applies != nil && !one.applies(found) {
			return Migration{}, false, nil
		}
		return Migration{Path: found.path, Dialect: one.name, Session: one.session, Sections: one.sections(found)}, true, nil
	}
	return Migration{}, false, nil
}

func readFile(path string) (string, error) {
	about, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read migration: %w", err)
	}
	if !about.Mode().IsRegular() || about.Size() > largest {
		return "", fmt.Errorf("read %s: %w", path, errors.New("it is no regular file, or one of more than 32 MiB"))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read migration: %w", err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
}

func namesBeside(path string) map[string]bool {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	names := map[string]bool{}
	for _, entry := range entries {
		names[entry.Name()] = true
	}
	return names
}

// inOrder is the order in which a tool applies two files.
func inOrder(a, b Migration) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), natural(orderKey(a), orderKey(b)), cmp.Compare(a.Path, b.Path))
}

// rank puts what Flyway repeats behind the rest, and Sqitch's into the order
// of its plan.
func rank(m Migration) int {
	switch base := filepath.Base(m.Path); {
	case m.Dialect == Flyway && strings.HasPrefix(base, "R__"):
		return 1
	case m.Dialect == Sqitch:
		plan, err := readFile(sqitchPlan(m.Path))
		if err != nil {
			return 0
		}
		for number, line := range strings.Split(plan, "\n") {
			if change, _, _ := strings.Cut(line, " "); change+".sql" == base {
				return number
			}
		}
	}
	return 0
}

// orderKey is what a tool sorts by: the file's name, or its folder's where all
// files are called the same.
func orderKey(m Migration) string {
	if m.Dialect == Prisma {
		return filepath.Base(filepath.Dir(m.Path))
	}
	return filepath.Base(m.Path)
}

// natural compares names with the numbers in them as numbers: 9 before 10,
// V1.2 before V1.10.
func natural(a, b string) int {
	for a != "" && b != "" {
		numberA, restA := digits(a)
		numberB, restB := digits(b)
		if numberA != "" && numberB != "" {
			if order := cmp.Or(cmp.Compare(len(numberA), len(numberB)), cmp.Compare(numberA, numberB)); order != 0 {
				return order
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits takes the number that text begins with, without leading zeros.
func digits(text string) (number, rest string) {
	length := 0
	for length < len(text) && text[length] >= '0' && text[length] <= '9' {
		length++
	}
	if length == 0 {
		return "", text
	}
	return "0" + strings.TrimLeft(text[:length], "0"), text[length:]
}
