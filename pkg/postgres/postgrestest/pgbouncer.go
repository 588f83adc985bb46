package postgrestest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Debian installs it where only root's PATH looks.
const pgbouncerPath = "/usr/sbin/pgbouncer"

// StartPgBouncer runs a real PgBouncer before a server for the length of the
// test and returns the DSN of its admin console. The users are those who may log
// in to its databases, without a password. databases and settings are lines of [databases] and
// [pgbouncer]; {port} in them is the server's. The test fails at once where none
// can be started.
func (s *Server) StartPgBouncer(t testing.TB, users, databases, settings []string) (dsn string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = pgbouncerPath
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatal("find PgBouncer: install the Debian package pgbouncer (apt-get install pgbouncer)")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.directory, fmt.Sprintf("pgbouncer-%d.ini", port))
	known := filepath.Join(s.directory, "users.txt")
	if err := os.WriteFile(known, []byte(`"postgres" ""`+"\n\""+strings.Join(users, "\" \"\"\n\"")+"\" \"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := append([]string{"[databases]"}, databases...)
	lines = append(lines, "[pgbouncer]", fmt.Sprintf("listen_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = trust\nauth_file = %s\nadmin_users = postgres", port, known))
	text := strings.ReplaceAll(strings.Join(append(lines, settings...), "\n"), "{port}", fmt.Sprint(s.Port))
	if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	process := s.install.command("postgres", file)
	process.Path, process.Args[0] = program, "pgbouncer"
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		t.Fatalf("start PgBouncer: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = process.Wait() // how it ended is in its log
	}()
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGKILL) // an error means that it is gone
		<-exited
	})
	dsn = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/pgbouncer?sslmode=disable", port)
	awaitPgBouncer(t, dsn, exited, log)
	return dsn
}

func awaitPgBouncer(t testing.TB, dsn string, exited <-chan struct{}, log *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startDeadline)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := pgconn.Connect(ctx, dsn)
		if err == nil {
			_ = conn.Close(ctx) // it answered
			return
		}
		select {
		case <-exited:
			t.Fatalf("start PgBouncer: it exited:\n%s", log)
		case <-ctx.Done():
			t.Fatalf("start PgBouncer: no answer within %s: %v", startDeadline, err)
		case <-retry.C:
		}
	}
}
