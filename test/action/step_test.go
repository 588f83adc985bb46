package action

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// checkout is the root of the repository.
var checkout = filepath.Join("..", "..")

// version is the release that the tests pin.
const version = "v1.2.3"

// platform is this machine's, as archives name it.
const platform = runtime.GOOS + "_" + runtime.GOARCH

// step is a step of a job that uses the Action: a copy of the entry with
// pins of its own, and the runner's folders.
type step struct {
	t         *testing.T
	action    string
	cache     string
	state     string
	variables map[string]string
}

// released is a release on a server of its own.
type released struct {
	server *httptest.Server
	mutex  sync.Mutex
	asked  []string
}

// archive is one of a release for this machine.
func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	packed, err := Pack(runtime.GOOS, files)
	check(t, err)
	return packed
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// release serves an archive under the name that this machine asks for, or one
// that is taken for Windows.
func release(t *testing.T, content []byte) *released {
	t.Helper()
	found := &released{}
	found.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		found.mutex.Lock()
		found.asked = append(found.asked, request.URL.Path)
		found.mutex.Unlock()
		if name := path.Base(request.URL.Path); path.Base(path.Dir(request.URL.Path)) != version || name != Name(runtime.GOOS, runtime.GOARCH) && name != Name("windows", runtime.GOARCH) {
			http.NotFound(answer, request)
			return
		}
		_, _ = answer.Write(content)
	}))
	t.Cleanup(found.server.Close)
	return found
}

// requests are the paths that were asked for.
func (r *released) requests() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]string{}, r.asked...)
}

// newStep lays out the Action with a pin of this archive for this machine, whose
// engine is this script.
func newStep(t *testing.T, packed []byte, engine string) *step {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("no node on PATH: install the package nodejs; make setup does")
	}
	root := t.TempDir()
	s := &step{t: t, action: filepath.Join(root, "action"), cache: filepath.Join(root, "cache"), state: filepath.Join(root, "state")}
	check(t, os.CopyFS(filepath.Join(s.action, "entry"), os.DirFS(filepath.Join(checkout, "action", "entry"))))
	s.pin(platform, map[string]string{"sha256": Sum(packed), "engine": Sum([]byte(engine))})
	s.variables = map[string]string{
		"PATH":              os.Getenv("PATH"),
		"RUNNER_TOOL_CACHE": s.cache,
		"GITHUB_STATE":      s.state,
		"GITHUB_WORKSPACE":  root,
	}
	return s
}

// pin writes archives.json with one archive.
func (s *step) pin(platform string, sums map[string]string) {
	s.t.Helper()
	text, err := json.Marshal(map[string]any{"version": version, "archives": map[string]any{platform: sums}})
	check(s.t, err)
	check(s.t, os.WriteFile(filepath.Join(s.action, "archives.json"), text, 0o600))
}

// preload has a script run before the entry, in the same process.
func (s *step) preload(script string) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "preload.js")
	check(s.t, os.WriteFile(file, []byte(script), 0o600))
	s.variables["NODE_OPTIONS"] = "--require " + file
}

// command is one half of the step, not started.
func (s *step) command(half string) (*exec.Cmd, *bytes.Buffer) {
	var told bytes.Buffer
	command := exec.CommandContext(s.t.Context(), "node", filepath.Join(s.action, "entry", half+".js"))
	for name, value := range s.variables {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdout, command.Stderr = &told, &told
	return command, &told
}

// run runs one half of the step.
func (s *step) run(half string) (code int, told string) {
	s.t.Helper()
	command, output := s.command(half)
	return s.exit(command.Run()), output.String()
}

// await reads the next line that a command says, and expects it to be this one.
func await(t *testing.T, told io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want)+1)
	if _, err := io.ReadFull(told, got); err != nil || string(got) != want+"\n" {
		t.Fatalf("expected to hear %q, heard %q, %v", want, got, err)
	}
}

// exit is the exit code of a command that ran.
func (s *step) exit(err error) int {
	s.t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	check(s.t, err)
	return 0
}

// cached are the files in the tool cache, by their path in it.
func (s *step) cached() []string {
	s.t.Helper()
	files := []string{}
	check(s.t, filepath.WalkDir(s.cache, func(path string, entry os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		name, err := filepath.Rel(s.cache, path)
		files = append(files, name)
		return err
	}))
	return files
}
