package image

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
)

// nobody is the user that the public images of Prometheus run as.
const nobody = "65534"

// accounts is an /etc/passwd with the users that the images run as.
const accounts = `root:x:0:0:root:/root:/bin/sh
postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh
`

// Debian is an image of one program that Debian packages, put where the public
// image of that program has it, so that the same manifest fits both.
func Debian(ctx context.Context, source, target string) (Contents, error) {
	files, err := Libraries(ctx, source)
	if err != nil {
		return Contents{}, err
	}
	files[target] = source
	return Contents{
		Files:      files,
		Text:       map[string]string{"/etc/passwd": accounts},
		Entrypoint: []string{target},
		User:       nobody,
	}, nil
}

// PostgreSQL is an image of the newest PostgreSQL that is installed. entrypoint
// is a static binary that does what the public image's start-up script does.
func PostgreSQL(ctx context.Context, entrypoint string) (Contents, error) {
	home, err := newestPostgreSQL("/usr/lib/postgresql")
	if err != nil {
		return Contents{}, err
	}
	binaries, err := filepath.Glob(filepath.Join(home, "bin", "*"))
	if err != nil {
		return Contents{}, fmt.Errorf("list PostgreSQL's programs: %w", err)
	}
	modules, err := filepath.Glob(filepath.Join(home, "lib", "*.so"))
	if err != nil {
		return Contents{}, fmt.Errorf("list PostgreSQL's modules: %w", err)
	}
	// initdb starts the server through a shell.
	const shell = "/bin/sh"
	files := map[string]string{shell: shell, "/usr/local/bin/docker-entrypoint": entrypoint}
	wanted := slices.DeleteFunc(append(binaries, modules...), skipped)
	libraries, err := Libraries(ctx, append(wanted, shell)...)
	if err != nil {
		return Contents{}, err
	}
	maps.Copy(files, libraries)
	for _, file := range wanted {
		files[file] = file
	}
	return Contents{
		Files:      files,
		Text:       map[string]string{"/etc/passwd": accounts, "/etc/group": "root:x:0:\npostgres:x:999:\n"},
		Trees:      []string{"/usr/share/postgresql/" + filepath.Base(home), "/usr/share/zoneinfo"},
		Entrypoint: []string{"/usr/local/bin/docker-entrypoint"},
		Command:    []string{"postgres"},
		Env: []string{
			"PATH=" + home + "/bin:/usr/local/bin:/usr/bin:/bin",
			"PGDATA=/var/lib/postgresql/data",
			"LANG=C.UTF-8",
		},
		// At SIGTERM the server would wait for its clients to leave.
		StopSignal: "SIGINT",
	}, nil
}

// skipped are modules that need a language or a compiler of their own.
func skipped(path string) bool {
	switch filepath.Base(path) {
	case "llvmjit.so", "llvmjit_types.bc", "plperl.so", "plpython3.so", "pltcl.so":
		return true
	default:
		return false
	}
}

// newestPostgreSQL returns the folder of the highest major version.
func newestPostgreSQL(root string) (string, error) {
	folders, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL: %w", err)
	}
	newest, found := 0, ""
	for _, folder := range folders {
		version, err := strconv.Atoi(filepath.Base(folder))
		if err == nil && version > newest {
			newest, found = version, folder
		}
	}
	if found == "" {
		return "", fmt.Errorf("find PostgreSQL: no version in %s: install the package postgresql", root)
	}
	return found, nil
}
