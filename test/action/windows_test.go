package action

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asWindows has the entry take this machine for one with Windows.
const asWindows = "Object.defineProperty(process, 'platform', {value: 'win32'});"

// onWindows is the platform that a pin is for then.
const onWindows = "windows_" + runtime.GOARCH

// The tar of Windows is this very program, when it is called so.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "tar.exe" {
		os.Exit(m.Run())
	}
	if err := unzip(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// unzip unpacks one file as that tar does, which finds out itself how an archive is
// packed.
func unzip(args []string) error {
	if len(args) != 5 || args[0] != "-xzf" || args[2] != "-C" {
		return fmt.Errorf("called with %q", args)
	}
	packed, err := zip.OpenReader(args[1])
	if err != nil {
		return err
	}
	defer packed.Close()
	file, err := packed.Open(args[4])
	if err != nil {
		return err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(args[3], args[4]), content, 0o755)
}

// newWindowsStep is a step on a machine that is taken for one with Windows, with a
// mirror that has the archive of this engine.
func newWindowsStep(t *testing.T, engine string) (*step, *released) {
	t.Helper()
	packed, err := Pack("windows", map[string]string{"bluegreen-action.exe": engine, "kubectl-bluegreen.exe": "other", "LICENSE": "text"})
	check(t, err)
	s, from := newStep(t, nil, "none"), release(t, packed)
	s.pin(onWindows, map[string]string{"sha256": Sum(packed), "engine": Sum([]byte(engine))})
	s.preload(asWindows)
	s.variables["BLUEGREEN_ACTION_RELEASES"] = from.server.URL
	s.variables["SystemRoot"] = t.TempDir()
	self, err := os.Executable()
	check(t, err)
	system := filepath.Join(s.variables["SystemRoot"], "System32")
	check(t, os.Mkdir(system, 0o755))
	check(t, os.Symlink(self, filepath.Join(system, "tar.exe")))
	return s, from
}

// For Windows the archive is a zip, Windows' own tar unpacks it, and the engine's
// name ends as a program's does there.
func TestWindowsUnpacksZip(t *testing.T) {
	s, from := newWindowsStep(t, echo)
	for range 2 {
		if code, told := s.run("main"); code != 5 || !strings.HasPrefix(told, "engine main") {
			t.Fatalf("the step ended with %d and said %q", code, told)
		}
	}
	if diff := cmp.Diff([]string{"/v1.2.3/kubectl-bluegreen_" + onWindows + ".zip"}, from.requests()); diff != "" {
		t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{filepath.Join("kubectl-bluegreen", version, onWindows, "bluegreen-action.exe")}, s.cached()); diff != "" {
		t.Errorf("what the cache holds (-want +got):\n%s", diff)
	}
}

// A Windows that has no tar where it belongs is told, and nothing is left.
func TestWindowsWithoutTar(t *testing.T) {
	s, _ := newWindowsStep(t, echo)
	tar := filepath.Join(s.variables["SystemRoot"], "System32", "tar.exe")
	check(t, os.Remove(tar))
	if code, told := s.run("main"); code != 1 || !strings.Contains(told, "unpack kubectl-bluegreen_"+onWindows+".zip with "+tar+": ") || !strings.Contains(told, "expected tar on the runner") {
		t.Errorf("the step ended with %d and said %q", code, told)
	}
	if diff := cmp.Diff([]string{}, s.cached()); diff != "" {
		t.Errorf("left in the cache (-want +got):\n%s", diff)
	}
}

// Windows refuses to replace a program that another job runs. That one is as good
// when it is the pinned one; else it is told.
func TestWindowsKeepsWhatRuns(t *testing.T) {
	for name, test := range map[string]struct {
		theirs, want string
		code         int
	}{
		"the same": {echo, "engine main", 5},
		"another":  {"#!/bin/sh\necho theirs\n", "EPERM", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newWindowsStep(t, echo)
			theirs := filepath.Join(t.TempDir(), "theirs")
			check(t, os.WriteFile(theirs, []byte(test.theirs), 0o755))
			s.preload(asWindows + `const fs = require('node:fs')
fs.renameSync = (from, to) => {
  fs.copyFileSync('` + theirs + `', to)
  throw new Error('EPERM: operation not permitted')
}`)
			if code, told := s.run("main"); code != test.code || !strings.Contains(told, test.want) || strings.Contains(told, "theirs") {
				t.Errorf("the step ended with %d and said %q", code, told)
			}
		})
	}
}

// On Windows the whole console hears of a cancel, so nothing is handed on: to do so
// would kill the engine. Its end is waited for.
func TestWindowsHandsNoSignalOn(t *testing.T) {
	s, _ := newWindowsStep(t, `#!/bin/sh
trap 'echo heard; exit 9' INT TERM
echo ready
while [ ! -e "$GITHUB_WORKSPACE/go" ]; do sleep 0.05; done
exit 4
`)
	s.preload(asWindows + "process.on('SIGINT', () => { process.emit('SIGBREAK', 'SIGBREAK'); setImmediate(() => console.log('signalled')) })")
	command, _ := s.command("main")
	told, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	check(t, command.Start())
	await(t, told, "ready")
	check(t, command.Process.Signal(syscall.SIGINT))
	await(t, told, "signalled")
	check(t, os.WriteFile(filepath.Join(s.variables["GITHUB_WORKSPACE"], "go"), nil, 0o600))
	if code := s.exit(command.Wait()); code != 4 {
		t.Errorf("the step ended with %d", code)
	}
}

// Until there is an engine, both ways in which Windows tells of a cancel end the step.
func TestWindowsCancelsTheFetch(t *testing.T) {
	for _, signal := range []string{"SIGINT", "SIGBREAK"} {
		t.Run(signal, func(t *testing.T) {
			t.Parallel()
			s, from := newWindowsStep(t, echo)
			s.preload(asWindows + "const real = fetch; globalThis.fetch = (...wanted) => { process.emit('" + signal + "', '" + signal + "'); return real(...wanted) }")
			code, told := s.run("main")
			if code != 1 || !strings.Contains(told, "stopped by "+signal+" before the engine was started") {
				t.Errorf("the step ended with %d and said %q", code, told)
			}
			if len(from.requests()) > 0 || len(s.cached()) > 0 {
				t.Errorf("it asked for %q and left %q", from.requests(), s.cached())
			}
		})
	}
}
