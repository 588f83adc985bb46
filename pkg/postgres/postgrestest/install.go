package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// installation is where PostgreSQL's programs are and who may run them.
type installation struct {
	bin string
	// owner is nil when the test's own user can run the server.
	owner *syscall.Credential
}

// ProgramsVariable names a folder with PostgreSQL's programs that tests run with
// instead of what is installed.
const ProgramsVariable = "BLUEGREEN_POSTGRES"

// findInstallation looks where it is told to, then where Debian puts the server,
// newest version first, then on PATH.
func findInstallation() (installation, error) {
	bin, err := os.Getenv(ProgramsVariable), error(nil)
	if bin == "" {
		bin, err = findPrograms("/usr/lib/postgresql/*/bin/initdb")
	}
	if err != nil {
		return installation{}, err
	}
	if os.Geteuid() != 0 {
		return installation{bin: bin}, nil
	}
	owner, err := unprivilegedUser("postgres", "nobody")
	if err != nil {
		return installation{}, err
	}
	return installation{bin: bin, owner: owner}, nil
}

// Major is the major version of the server that Start runs, such as 15.
func Major(t testing.TB) int {
	t.Helper()
	install, err := findInstallation()
	if err != nil {
		t.Fatal(err)
	}
	output, err := install.command("postgres", "--version").Output()
	if err != nil {
		t.Fatalf("ask PostgreSQL for its version: %v", err)
	}
	var major int
	if _, err := fmt.Sscanf(string(output), "postgres (PostgreSQL) %d", &major); err != nil {
		t.Fatalf("read PostgreSQL's version %q: %v", output, err)
	}
	return major
}

func findPrograms(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("look for initdb: %w", err)
	}
	slices.SortFunc(found, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("find the PostgreSQL server: no %s and no initdb on PATH: install the Debian package postgresql (apt-get install postgresql)", pattern)
	}
	return filepath.Dir(path), nil
}

// majorVersion reads 15 from /usr/lib/postgresql/15/bin/initdb, 0 from
// anything else.
func majorVersion(path string) int {
	major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return major
}

func unprivilegedUser(names ...string) (*syscall.Credential, error) {
	var missing error
	for _, name := range names {
		account, err := user.Lookup(name)
		if err != nil {
			missing = errors.Join(missing, err)
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read uid of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read gid of %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("find a user that may run PostgreSQL: %w", missing)
}

// command prepares one of PostgreSQL's programs to run as the owner. No
// context ends it: the server runs until Stop, which cleaning up calls after
// the context of the test has ended.
func (i installation) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(i.bin, program), args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: i.owner}
	endWithParent(cmd.SysProcAttr)
	return cmd
}
