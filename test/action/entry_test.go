package action

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// echo is an engine that says how it was called and ends with the code 5.
const echo = "#!/bin/sh\necho \"engine $1 of ${INPUT_COMMAND}\"\nexit 5\n"

// engineFile is where the cache keeps the engine.
var engineFile = filepath.Join("kubectl-bluegreen", version, platform, "bluegreen-action")

// The engine comes from the release once; after that both halves find it in the
// cache and nobody is asked. Its exit code is the step's.
func TestWarmCacheAsksNobody(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo, "kubectl-bluegreen": "other", "LICENSE": "text"})
	from, s := release(t, packed), newStep(t, packed, echo)
	s.variables["GITHUB_SERVER_URL"] = from.server.URL
	s.variables["GITHUB_ACTION_REPOSITORY"] = "somebody/fork"
	s.variables["INPUT_COMMAND"] = "check"
	for range 2 {
		if code, told := s.run("main"); code != 5 || told != "engine main of check\n" {
			t.Fatalf("main ended with %d and said %q", code, told)
		}
	}
	state, err := os.ReadFile(s.state)
	check(t, err)
	if diff := cmp.Diff("engine=started\nengine=started\n", string(state)); diff != "" {
		t.Errorf("the state for post (-want +got):\n%s", diff)
	}
	s.variables["STATE_engine"] = "started"
	if code, told := s.run("post"); code != 5 || told != "engine post of check\n" {
		t.Errorf("post ended with %d and said %q", code, told)
	}
	want := []string{"/somebody/fork/releases/download/v1.2.3/kubectl-bluegreen_" + platform + ".tar.gz"}
	if diff := cmp.Diff(want, from.requests()); diff != "" {
		t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{engineFile}, s.cached()); diff != "" {
		t.Errorf("what the cache holds (-want +got):\n%s", diff)
	}
}

// What isn't the released archive is not run, unpacked or kept, and neither is an
// archive whose engine is another one.
func TestWrongSumsAreRefused(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": "#!/bin/sh\necho ran\n"})
	for name, test := range map[string]struct {
		sums map[string]string
		want string
	}{
		"archive": {map[string]string{"sha256": Sum([]byte("another")), "engine": Sum([]byte("another"))}, "expected SHA-256 " + Sum([]byte("another")) + ", got " + Sum(packed)},
		"engine":  {map[string]string{"sha256": Sum(packed), "engine": Sum([]byte("another"))}, "is not the one that was pinned"},
	} {
		t.Run(name, func(t *testing.T) {
			from, s := release(t, packed), newStep(t, packed, echo)
			s.pin(platform, test.sums)
			s.variables["BLUEGREEN_ACTION_RELEASES"] = from.server.URL
			code, told := s.run("main")
			if code != 1 || !strings.HasPrefix(told, "::error title=kubectl bluegreen::") || !strings.Contains(told, test.want) || strings.Contains(told, "ran") {
				t.Errorf("the step ended with %d and said %q", code, told)
			}
			if diff := cmp.Diff([]string{}, s.cached()); diff != "" {
				t.Errorf("left in the cache (-want +got):\n%s", diff)
			}
			if _, err := os.Stat(s.state); err == nil {
				t.Error("post was told that an engine ran")
			}
		})
	}
}

// Whoever had the runner before may have written to the cache: what is not the
// pinned engine is never run, and replaced.
func TestChangedCacheIsReplaced(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	from, s := release(t, packed), newStep(t, packed, echo)
	s.variables["BLUEGREEN_ACTION_RELEASES"] = from.server.URL
	planted := filepath.Join(s.cache, engineFile)
	check(t, os.MkdirAll(filepath.Dir(planted), 0o755))
	check(t, os.WriteFile(planted, []byte("#!/bin/sh\necho planted\n"), 0o755))
	if code, told := s.run("main"); code != 5 || strings.Contains(told, "planted") {
		t.Errorf("the step ended with %d and said %q", code, told)
	}
	if content, err := os.ReadFile(planted); err != nil || string(content) != echo {
		t.Errorf("the cache holds %q, %v", content, err)
	}
}

// Whatever lies where the engine belongs, the next job gets one that can be run: what
// only lacks its mode is let run, and what is no file is replaced, and never waited for.
func TestWhatCannotBeRunIsReplaced(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	for name, test := range map[string]struct {
		plant    func(path string) error
		requests int
	}{
		"without its mode": {func(path string) error { return os.WriteFile(path, []byte(echo), 0o644) }, 0},
		"a folder":         {func(path string) error { return os.MkdirAll(filepath.Join(path, "in"), 0o755) }, 1},
		"a pipe":           {func(path string) error { return syscall.Mkfifo(path, 0o644) }, 1},
		"a link": {func(path string) error {
			if err := os.WriteFile(path+".other", []byte(echo), 0o755); err != nil {
				return err
			}
			return os.Symlink(path+".other", path)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, s := release(t, packed), newStep(t, packed, echo)
			s.variables["BLUEGREEN_ACTION_RELEASES"] = from.server.URL
			planted := filepath.Join(s.cache, engineFile)
			check(t, os.MkdirAll(filepath.Dir(planted), 0o755))
			check(t, test.plant(planted))
			command, told := s.command("main")
			hangs := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
			defer hangs.Stop()
			if code := s.exit(command.Run()); code != 5 || told.String() != "engine main of \n" || len(from.requests()) != test.requests {
				t.Errorf("the step ended with %d after the requests %q and said %q", code, from.requests(), told)
			}
			if about, err := os.Lstat(planted); err != nil || !about.Mode().IsRegular() || about.Mode().Perm() != 0o755 {
				t.Errorf("the cache holds %v, %v", about, err)
			}
		})
	}
}

// A mirror has the archives in a folder for each version; one slash more at its
// end is none of its business.
func TestMirrorIsAskedAlone(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	mirror, origin, s := release(t, packed), release(t, packed), newStep(t, packed, echo)
	s.variables["GITHUB_SERVER_URL"] = origin.server.URL
	s.variables["BLUEGREEN_ACTION_RELEASES"] = mirror.server.URL + "/copies/"
	if code, told := s.run("main"); code != 5 {
		t.Errorf("the step ended with %d and said %q", code, told)
	}
	if diff := cmp.Diff([]string{"/copies/v1.2.3/kubectl-bluegreen_" + platform + ".tar.gz"}, mirror.requests()); diff != "" {
		t.Errorf("what the mirror was asked for (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{}, origin.requests()); diff != "" {
		t.Errorf("what the origin was asked for (-want +got):\n%s", diff)
	}
}

// A server that stumbles is asked again, one that says no is not.
func TestStumblingServerIsAskedAgain(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	for name, test := range map[string]struct {
		status, requests, code int
		want                   string
	}{
		"stumbles": {http.StatusBadGateway, 2, 5, "engine main"},
		"says no":  {http.StatusNotFound, 1, 1, "HTTP status 404; expected the archive of v1.2.3"},
		"is busy":  {http.StatusTooManyRequests, 2, 5, "engine main"},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
				if requests++; requests == 1 {
					answer.WriteHeader(test.status)
					return
				}
				_, _ = answer.Write(packed)
			}))
			defer server.Close()
			s := newStep(t, packed, echo)
			s.variables["BLUEGREEN_ACTION_RELEASES"] = server.URL
			code, told := s.run("main")
			if code != test.code || requests != test.requests || !strings.Contains(told, test.want) {
				t.Errorf("the step ended with %d after %d requests and said %q", code, requests, told)
			}
		})
	}
}

// Jobs that share a runner's cache all get the engine, and leave one behind.
func TestConcurrentJobsShareTheCache(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	s := newStep(t, packed, echo)
	const jobs = 4
	var arrived sync.WaitGroup
	arrived.Add(jobs)
	// Nobody gets the archive before everybody has found the cache empty.
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait()
		_, _ = answer.Write(packed)
	}))
	defer server.Close()
	s.variables["BLUEGREEN_ACTION_RELEASES"] = server.URL
	var running sync.WaitGroup
	for range jobs {
		command, told := s.command("main")
		running.Go(func() {
			if err := command.Run(); err == nil || command.ProcessState.ExitCode() != 5 {
				t.Errorf("a job ended with %v and said %q", err, told)
			}
		})
	}
	running.Wait()
	if diff := cmp.Diff([]string{engineFile}, s.cached()); diff != "" {
		t.Errorf("what the cache holds (-want +got):\n%s", diff)
	}
}

// A runner for which nothing is built is told what there is and what to do, and so
// is a checkout that was never released.
func TestUnknownPlatformIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		pin      func(*step)
		platform string
		want     string
	}{
		"platform": {func(*step) {}, "Object.defineProperty(process, 'platform', {value: 'freebsd'}); Object.defineProperty(process, 'arch', {value: 'ppc64'})",
			"no engine for freebsd_ppc64: this revision of the Action has those for " + platform},
		"never released": {func(s *step) {
			check(t, os.WriteFile(filepath.Join(s.action, "archives.json"), []byte(`{"version":"","archives":{}}`), 0o600))
		}, "", ": this revision of the Action has those for none, for it was never released"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t, nil, echo)
			test.pin(s)
			s.preload(test.platform)
			code, told := s.run("main")
			if code != 1 || !strings.Contains(told, test.want) || !strings.Contains(told, "name it with the input binary") {
				t.Errorf("the step ended with %d and said %q", code, told)
			}
		})
	}
}

// A binary from the checkout is run as it is, and nobody is asked.
func TestBinaryIsRunAsItIs(t *testing.T) {
	from, s := release(t, nil), newStep(t, nil, "none")
	s.variables["BLUEGREEN_ACTION_RELEASES"] = from.server.URL
	s.variables["INPUT_BINARY"] = "bin/engine"
	code, told := s.run("main")
	if want := filepath.Join(s.variables["GITHUB_WORKSPACE"], "bin", "engine"); code != 1 || !strings.Contains(told, "expected a program at "+want) {
		t.Errorf("without the program the step ended with %d and said %q", code, told)
	}
	check(t, os.MkdirAll(filepath.Join(s.variables["GITHUB_WORKSPACE"], "bin"), 0o755))
	check(t, os.WriteFile(filepath.Join(s.variables["GITHUB_WORKSPACE"], "bin", "engine"), []byte(echo), 0o755))
	if code, told := s.run("main"); code != 5 || !strings.HasPrefix(told, "engine main") {
		t.Errorf("the step ended with %d and said %q", code, told)
	}
	if diff := cmp.Diff([]string{}, from.requests()); diff != "" {
		t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
}

// Where main started no engine, post has nothing to finish: it says nothing
// and fetches nothing.
func TestPostWithoutEngineDoesNothing(t *testing.T) {
	from, s := release(t, nil), newStep(t, nil, echo)
	s.variables["BLUEGREEN_ACTION_RELEASES"] = from.server.URL
	if code, told := s.run("post"); code != 0 || told != "" || len(from.requests()) != 0 {
		t.Errorf("post ended with %d, said %q and asked for %q", code, told, from.requests())
	}
}

// Both signals of a cancelled job reach the engine, and its end is waited for.
func TestSignalsAreForwarded(t *testing.T) {
	s := newStep(t, nil, "none")
	s.variables["INPUT_BINARY"] = "engine"
	check(t, os.WriteFile(filepath.Join(s.variables["GITHUB_WORKSPACE"], "engine"), []byte(`#!/bin/sh
trap 'echo heard INT' INT
trap 'echo heard TERM; exit 4' TERM
echo ready
while :; do sleep 0.05; done
`), 0o755))
	command, _ := s.command("main")
	told, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	check(t, command.Start())
	await(t, told, "ready")
	check(t, command.Process.Signal(syscall.SIGINT))
	await(t, told, "heard INT")
	check(t, command.Process.Signal(syscall.SIGTERM))
	await(t, told, "heard TERM")
	if code := s.exit(command.Wait()); code != 4 {
		t.Errorf("the step ended with %d", code)
	}
}

// A job that is cancelled while the archive is on its way ends at once, and
// leaves nothing behind.
func TestCancelledFetchLeavesNothing(t *testing.T) {
	asked, gone := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		close(asked)
		<-request.Context().Done()
		close(gone)
	}))
	defer server.Close()
	s := newStep(t, nil, echo)
	s.variables["BLUEGREEN_ACTION_RELEASES"] = server.URL
	command, told := s.command("main")
	check(t, command.Start())
	<-asked
	check(t, command.Process.Signal(syscall.SIGINT))
	<-gone
	if code := s.exit(command.Wait()); code != 1 || !strings.Contains(told.String(), "stopped by SIGINT before the engine was started") {
		t.Errorf("the step ended with %d and said %q", code, told)
	}
	if diff := cmp.Diff([]string{}, s.cached()); diff != "" {
		t.Errorf("left in the cache (-want +got):\n%s", diff)
	}
}

// An engine that a signal ends has the exit code of a shell, and what can't be
// started is told.
func TestEndsOfTheEngine(t *testing.T) {
	for name, test := range map[string]struct {
		engine, want string
		mode         os.FileMode
		code         int
	}{
		"killed":         {"#!/bin/sh\nkill -KILL $$\n", "", 0o755, 137},
		"passed":         {"#!/bin/sh\nexit 0\n", "", 0o755, 0},
		"not executable": {"text", "expected a program for " + platform + " that may be executed", 0o600, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t, nil, "none")
			s.variables["INPUT_BINARY"] = "engine"
			check(t, os.WriteFile(filepath.Join(s.variables["GITHUB_WORKSPACE"], "engine"), []byte(test.engine), test.mode))
			if code, told := s.run("main"); code != test.code || !strings.Contains(told, test.want) {
				t.Errorf("the step ended with %d and said %q", code, told)
			}
		})
	}
}
