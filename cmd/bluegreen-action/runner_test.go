package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// token is the one that a runner hands out, in these scripts.
const token = "ghs_canary5b1f2a"

// runner sets the variables that a runner sets, as of an event: runner EVENT.
func runner(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		ts.Fatalf("usage: runner EVENT")
	}
	for name, value := range map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": args[0], "GITHUB_EVENT_PATH": ts.MkAbs("event.json"),
		"GITHUB_REPOSITORY": "acme/shop", "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
		"GITHUB_WORKSPACE": ts.MkAbs("."), "GITHUB_WORKFLOW": "release", "GITHUB_JOB": "gate",
		"GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "42", "GITHUB_API_URL": "http://127.0.0.1:1",
		"GITHUB_OUTPUT": ts.MkAbs("output"), "GITHUB_STATE": ts.MkAbs("state"), "GITHUB_STEP_SUMMARY": ts.MkAbs("summary"),
		"RUNNER_TEMP": ts.MkAbs("temp"), "RUNNER_OS": "Linux", "INPUT_TOKEN": token,
	} {
		ts.Setenv(name, value)
	}
	ts.Check(os.MkdirAll(ts.MkAbs("temp"), 0o755))
}

// github serves GitHub's API: github, or github readonly, for a token that may
// not write. Every request is kept for the command requests.
func github(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) > 1 {
		ts.Fatalf("usage: github [readonly]")
	}
	fake := &fakeGitHub{readonly: len(args) == 1, path: ts.MkAbs("requests")}
	server := httptest.NewServer(fake)
	ts.Defer(server.Close)
	ts.Setenv("GITHUB_API_URL", server.URL)
	ts.Check(os.WriteFile(fake.path, nil, 0o644))
}

// fakeGitHub has comments of one pull request, and deployments.
type fakeGitHub struct {
	readonly bool
	path     string

	mutex    sync.Mutex
	comments []map[string]any
}

func (g *fakeGitHub) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	body, _ := io.ReadAll(request.Body)
	file, err := os.OpenFile(g.path, os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		fmt.Fprintf(file, "%s %s\n%s\n", request.Method, request.URL, body)
		file.Close()
	}
	answer.Header().Set("Content-Type", "application/json")
	switch write := request.Method != http.MethodGet; {
	case request.Header.Get("Authorization") != "Bearer "+token:
		http.Error(answer, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
	case write && g.readonly:
		http.Error(answer, `{"message": "Resource not accessible by integration"}`, http.StatusForbidden)
	case strings.HasSuffix(request.URL.Path, "/comments") && !write:
		_ = json.NewEncoder(answer).Encode(g.comments)
	case strings.Contains(request.URL.Path, "/comments"):
		g.write(body, request.Method == http.MethodPost)
		_, _ = answer.Write([]byte("{}"))
	default:
		_, _ = answer.Write([]byte(`{"id": 7}`))
	}
}

// write keeps a comment; somebody who has copied the marker is there before it.
func (g *fakeGitHub) write(body []byte, anew bool) {
	comment := map[string]any{}
	_ = json.Unmarshal(body, &comment)
	if anew {
		copied := map[string]any{"id": 1, "body": comment["body"], "user": map[string]string{"type": "User", "login": "mallory"}}
		comment["id"], comment["user"] = 2, map[string]string{"type": "Bot", "login": "github-actions[bot]"}
		g.comments = []map[string]any{copied, comment}
	}
}

// requests asserts how many requests were made: requests COUNT.
func requests(ts *testscript.TestScript, negated bool, args []string) {
	text := ts.ReadFile("requests")
	made := 0
	for line := range strings.Lines(text) {
		if method, _, found := strings.Cut(line, " /"); found && method == strings.ToUpper(method) {
			made++
		}
	}
	if want, err := strconv.Atoi(args[0]); negated || err != nil || made != want {
		ts.Fatalf("%d requests were made, expected %s:\n%s", made, args[0], text)
	}
}

// deaf listens at $DEAF, and remembers who connects.
func deaf(ts *testscript.TestScript, _ bool, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Setenv("DEAF", listener.Addr().String())
	path := ts.MkAbs("dialled")
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_ = os.WriteFile(path, []byte(connection.RemoteAddr().String()), 0o644)
			connection.Close()
		}
	}()
}

// unasked asserts that nobody has connected; ! unasked that somebody has, which
// shows that it would be seen.
func unasked(ts *testscript.TestScript, negated bool, _ []string) {
	if negated {
		connection, err := net.Dial("tcp", ts.Getenv("DEAF"))
		ts.Check(err)
		_, _ = io.ReadAll(connection)
		connection.Close()
	}
	_, err := os.Stat(ts.MkAbs("dialled"))
	if asked := err == nil; asked != negated {
		ts.Fatalf("dialled: %t", asked)
	}
}

// fill makes a file of so many bytes: fill FILE BYTES.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat("x\n", size/2)), 0o644))
}

// count asserts how many lines of stdout begin with a text: count NUMBER TEXT.
func count(ts *testscript.TestScript, _ bool, args []string) {
	found := 0
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if strings.HasPrefix(line, args[1]) {
			found++
		}
	}
	if want, err := strconv.Atoi(args[0]); err != nil || found != want {
		ts.Fatalf("%d lines begin with %q, expected %s", found, args[1], args[0])
	}
}

// unveiled asserts that a text stands nowhere: not on stdout, but where the runner
// is told to mask it, nor in any file that was written: unveiled TEXT FILES...
func unveiled(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: unveiled TEXT FILES...")
	}
	secret := args[0]
	for line := range strings.Lines(ts.ReadFile("stdout") + ts.ReadFile("stderr")) {
		if strings.Contains(line, secret) && !strings.HasPrefix(line, "::add-mask::") {
			ts.Fatalf("the log holds it: %s", line)
		}
	}
	looked := 0
	for _, root := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(root), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			looked++
			if strings.Contains(string(text), secret) {
				ts.Fatalf("%s holds it", path)
			}
			return err
		}))
	}
	if looked == 0 {
		ts.Fatalf("no file was looked into")
	}
}
