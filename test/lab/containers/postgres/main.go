// Command postgres is the entry point of the lab's PostgreSQL image. It does
// what the public image's start-up script does, as far as the manifests rely
// on it: it makes the data folder, runs the SQL files in
// /docker-entrypoint-initdb.d once, and becomes the server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	// scripts is where SQL files for a new data folder are.
	scripts = "/docker-entrypoint-initdb.d"
	// socket is where Debian's PostgreSQL puts its unix socket.
	socket = "/var/run/postgresql"
	// owner is the user and group id that the server runs as.
	owner = 999
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

// run prepares the data folder and becomes the server; it returns only when
// that fails.
func run(args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		args = append([]string{"postgres"}, args...)
	}
	data := os.Getenv("PGDATA")
	if err := becomeOwner(data, socket); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
		if err := initialise(data); err != nil {
			return err
		}
	}
	server, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("find the server: %w", err)
	}
	return syscall.Exec(server, args, os.Environ())
}

// becomeOwner gives the folders to the server's user and goes on as that user:
// the server refuses to run as root.
func becomeOwner(folders ...string) error {
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if err := os.Chown(folder, owner, owner); err != nil {
			return fmt.Errorf("give folder to user %d: %w", owner, err)
		}
		if err := os.Chmod(folder, 0o700); err != nil {
			return fmt.Errorf("protect folder: %w", err)
		}
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("drop groups: %w", err)
	}
	if err := syscall.Setgid(owner); err != nil {
		return fmt.Errorf("become group %d: %w", owner, err)
	}
	if err := syscall.Setuid(owner); err != nil {
		return fmt.Errorf("become user %d: %w", owner, err)
	}
	return nil
}

// initialise makes the data folder. The server that runs the scripts listens
// on its socket only, so nobody takes it for ready.
func initialise(data string) error {
	password := filepath.Join(os.TempDir(), "password-"+strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(password, []byte(os.Getenv("POSTGRES_PASSWORD")+"\n"), 0o600); err != nil {
		return fmt.Errorf("hand the password over: %w", err)
	}
	defer func() { _ = os.Remove(password) }()
	extra := strings.Fields(os.Getenv("POSTGRES_INITDB_ARGS"))
	if err := command("initdb", append([]string{"--username=postgres", "--pwfile=" + password, "--pgdata=" + data}, extra...)...); err != nil {
		return err
	}
	if err := admit(data); err != nil {
		return err
	}
	if err := command("pg_ctl", "start", "-w", "-D", data, "-o", "-c listen_addresses=''"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(scripts, "*.sql"))
	if err != nil {
		return fmt.Errorf("list scripts: %w", err)
	}
	for _, file := range files {
		if err := command("psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-f", file); err != nil {
			return err
		}
	}
	return command("pg_ctl", "stop", "-w", "-m", "fast", "-D", data)
}

// admit lets clients in from everywhere by password, as the public image does.
func admit(data string) error {
	if err := add(filepath.Join(data, "pg_hba.conf"), "host all all all scram-sha-256"); err != nil {
		return err
	}
	// It listens on localhost only unless told otherwise.
	return add(filepath.Join(data, "postgresql.conf"), "listen_addresses = '*'")
}

// add adds a line to a file.
func add(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	_, err = file.WriteString("\n" + line + "\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	return nil
}

// command runs a program with its output where this one's goes. It ends with
// its container, not by a context.
func command(name string, args ...string) error {
	running := exec.CommandContext(context.Background(), name, args...)
	running.Stdout, running.Stderr = os.Stdout, os.Stderr
	if err := running.Run(); err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}
