package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// startDeadline and stopDeadline only keep a hung server from hanging the
	// tests; nothing asserts them.
	startDeadline = 60 * time.Second
	stopDeadline  = 20 * time.Second
	// portAttempts bounds how often another process may take the port between
	// our choosing it and the server's binding it.
	portAttempts = 5
)

// Server is a running PostgreSQL that belongs to one test.
type Server struct {
	// DSN connects as the superuser postgres to the database postgres, over
	// TCP on loopback, without a password.
	DSN string
	// Port is the server's TCP port on 127.0.0.1.
	Port int

	install   installation
	directory string
	process   *exec.Cmd
	exited    chan struct{}
	log       *bytes.Buffer
}

// Start runs a server for the length of the test and returns its DSN. The
// settings are those of postgresql.conf (max_connections: "20"); they are
// written there, so pg_settings and pg_file_settings show them as configured.
// The test fails at once where no server can be started.
func Start(t testing.TB, settings map[string]string) (dsn string) {
	t.Helper()
	return StartServer(t, settings).DSN
}

// StartServer is Start for a test that also stops the server or starts it
// again while it runs.
func StartServer(t testing.TB, settings map[string]string) *Server {
	t.Helper()
	install, err := findInstallation()
	if err != nil {
		t.Fatal(err)
	}
	directory, err := dataDirectory(install)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(directory); err != nil {
			t.Errorf("remove PostgreSQL's data directory: %v", err)
		}
	})
	server := &Server{install: install, directory: directory}
	if err := server.initialise(settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(t) })
	if err := server.startOnFreePort(); err != nil {
		t.Fatal(err)
	}
	return server
}

// Stop shuts the server down at once, as a crash would: every session breaks
// and new ones are refused. A second Stop does nothing.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	process := s.process
	s.process = nil
	// An error here means that it is gone already, which is what we want.
	_ = process.Process.Signal(syscall.SIGQUIT)
	select {
	case <-s.exited:
	case <-time.After(stopDeadline):
		_ = process.Process.Kill()
		<-s.exited
		t.Errorf("PostgreSQL did not stop within %s and was killed:\n%s", stopDeadline, s.log)
	}
}

// Restart starts a stopped server again on the same port with the same data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// dataDirectory is not t.TempDir: that one lies in a directory which only the
// test's user may enter, and its path may be too long for a Unix socket.
func dataDirectory(install installation) (string, error) {
	directory, err := os.MkdirTemp("", "postgrestest-")
	if err != nil {
		return "", fmt.Errorf("create data directory: %w", err)
	}
	if install.owner == nil {
		return directory, nil
	}
	if err := os.Chown(directory, int(install.owner.Uid), int(install.owner.Gid)); err != nil {
		return "", errors.Join(fmt.Errorf("hand over data directory: %w", err), os.RemoveAll(directory))
	}
	return directory, nil
}

func (s *Server) initialise(settings map[string]string) error {
	initdb := s.install.command("initdb", "--pgdata", s.directory, "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initialise PostgreSQL: %w\n%s", err, output)
	}
	file, err := os.OpenFile(filepath.Join(s.directory, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	_, err = file.WriteString(configuration(s.directory, settings))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	return nil
}

// configuration renders the lines that follow initdb's own; of two lines with
// one name PostgreSQL takes the last, so the test's settings win.
func configuration(directory string, settings map[string]string) string {
	lines := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": directory,
		"fsync":                   "off",
		"full_page_writes":        "off",
		"shared_buffers":          "16MB",
	}
	maps.Copy(lines, settings)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(lines[name], "'", "''"))
	}
	return text.String()
}

func (s *Server) startOnFreePort() error {
	var err error
	for range portAttempts {
		if s.Port, err = freePort(); err != nil {
			return err
		}
		s.DSN = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.Port)
		if err = s.start(); err == nil || !strings.Contains(s.log.String(), "Address already in use") {
			return err
		}
	}
	return err
}

func (s *Server) start() error {
	s.log = &bytes.Buffer{}
	process := s.install.command("postgres", "-D", s.directory, "-c", "port="+strconv.Itoa(s.Port))
	process.Stdout, process.Stderr = s.log, s.log
	if err := process.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		// How it ended is in its log; Wait also makes the log safe to read.
		_ = process.Wait()
	}()
	s.process, s.exited = process, exited
	return s.awaitAnswer()
}

// awaitAnswer polls with whole connections: a port that accepts says nothing
// about a server that is still starting up.
func (s *Server) awaitAnswer() error {
	ctx, cancel := context.WithTimeout(context.Background(), startDeadline)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DSN)
		if err == nil {
			return leave(conn)
		}
		select {
		case <-s.exited:
			s.process = nil
			return fmt.Errorf("start PostgreSQL: it exited:\n%s", s.log)
		case <-ctx.Done():
			_ = s.process.Process.Kill()
			<-s.exited
			s.process = nil
			return fmt.Errorf("start PostgreSQL: no answer within %s: %w", startDeadline, err)
		case <-retry.C:
		}
	}
}

// leave closes a connection and returns once the server has ended its session:
// a test that counts sessions must not find ours.
func leave(conn *pgx.Conn) error {
	session, err := conn.PgConn().Hijack()
	if err != nil {
		return fmt.Errorf("leave PostgreSQL: %w", err)
	}
	defer session.Conn.Close()
	if err := session.Conn.SetDeadline(time.Now().Add(stopDeadline)); err != nil {
		return fmt.Errorf("leave PostgreSQL: %w", err)
	}
	session.Frontend.Send(&pgproto3.Terminate{})
	if err := session.Frontend.Flush(); err != nil {
		return fmt.Errorf("leave PostgreSQL: %w", err)
	}
	// The server closes the connection with the process that served it.
	if _, err := io.Copy(io.Discard, session.Conn); err != nil {
		return fmt.Errorf("leave PostgreSQL: %w", err)
	}
	return nil
}

func freePort() (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return int(address.Port()), nil
}
