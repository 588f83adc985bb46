package action

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/canary"
)

// asGitHub has a server stand for github.com.
func (s *step) asGitHub(server *httptest.Server) {
	s.t.Helper()
	s.preload(`const real = fetch; globalThis.fetch = (url, options) => real(String(url).replace(/^https:\/\/github\.com\//, '` + server.URL + `/'), options)`)
}

// An action that came to another server through GitHub Connect has its releases on
// github.com. That one is asked when the other has no archive, or has something
// else, as a page to log in by; what it sends is verified like all else.
func TestReleasesOnGitHubAreFound(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	path := "/somebody/fork/releases/download/v1.2.3/kubectl-bluegreen_" + platform + ".tar.gz"
	login := func(answer http.ResponseWriter, _ *http.Request) {
		_, _ = answer.Write([]byte("<title>Log in</title>"))
	}
	for name, test := range map[string]struct {
		here   http.HandlerFunc
		github []byte
		code   int
		want   []string
	}{
		"no archive here":       {http.NotFound, packed, 5, []string{"engine main"}},
		"a page to log in by":   {login, packed, 5, []string{"engine main"}},
		"another one on GitHub": {http.NotFound, []byte("another"), 1, []string{"HTTP status 404; expected", "%0Ahttps://github.com" + path + " is not the archive that was released"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			github, s := release(t, test.github), newStep(t, packed, echo)
			here := httptest.NewServer(test.here)
			defer here.Close()
			s.asGitHub(github.server)
			s.variables["GITHUB_SERVER_URL"] = here.URL
			s.variables["GITHUB_ACTION_REPOSITORY"] = "somebody/fork"
			code, told := s.run("main")
			for _, want := range test.want {
				if code != test.code || !strings.Contains(told, want) {
					t.Errorf("expected %d and %q, the step ended with %d and said %q", test.code, want, code, told)
				}
			}
			if diff := cmp.Diff([]string{path}, github.requests()); diff != "" {
				t.Errorf("what github.com was asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// github.com is asked once where it is this server, too.
func TestGitHubIsAskedOnce(t *testing.T) {
	github, s := release(t, []byte("another")), newStep(t, nil, echo)
	s.asGitHub(github.server)
	s.variables["GITHUB_SERVER_URL"] = "https://github.com"
	if code, told := s.run("main"); code != 1 || len(github.requests()) != 1 {
		t.Errorf("the step ended with %d after %d requests and said %q", code, len(github.requests()), told)
	}
}

// What an address may hold of secrets is never repeated, whatever becomes of the
// fetch. A user and a password in it are refused before anybody is asked, and so is
// what can't be read as the address of a web server.
func TestNoSecretOfAnAddressIsRepeated(t *testing.T) {
	const secret = "canary-mirror-71c0"
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	for name, test := range map[string]struct {
		// address is that of the mirror, with HOST for its host and port.
		address, want string
		sum           []byte
		code, asked   int
	}{
		"a password":              {"http://ci:" + secret + "@HOST/copies", "no user and no password in it", packed, 1, 0},
		"a password alone":        {"http://:" + secret + "@HOST/copies", "no user and no password in it", packed, 1, 0},
		"a user":                  {"http://" + secret + "@HOST/copies", "no user and no password in it", packed, 1, 0},
		"no scheme":               {"ci:" + secret + "@HOST/copies", "begins with http:// or https://", packed, 1, 0},
		"a slash in the password": {"http://ci:" + secret + "/x@HOST/copies", "begins with http:// or https://", packed, 1, 0},
		"signed":                  {"http://HOST/copies?sig=" + secret, "engine main", packed, 5, 1},
		"signed, another archive": {"http://HOST/copies?sig=" + secret, "is not the archive that was released", []byte("another"), 1, 1},
		"signed, none there":      {"http://HOST/v9/?sig=" + secret, "HTTP status 404", packed, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var queries []string
			mirror := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
				queries = append(queries, request.URL.RawQuery)
				if !strings.HasPrefix(request.URL.Path, "/copies/v1.2.3/") {
					http.NotFound(answer, request)
					return
				}
				_, _ = answer.Write(packed)
			}))
			defer mirror.Close()
			s := newStep(t, test.sum, echo)
			s.variables["BLUEGREEN_ACTION_RELEASES"] = strings.Replace(test.address, "HOST", strings.TrimPrefix(mirror.URL, "http://"), 1)
			code, told := s.run("main")
			if code != test.code || !strings.Contains(told, test.want) || len(queries) != test.asked {
				t.Errorf("the step ended with %d after the requests %q and said %q", code, queries, told)
			}
			if found := canary.Find(told, []string{secret}); len(found) > 0 {
				t.Errorf("the step said %q", told)
			}
			for _, query := range queries {
				if query != "sig="+secret {
					t.Errorf("the mirror was asked with the query %q", query)
				}
			}
		})
	}
}

// A runner that sets nothing is told what is missed, in one line; what can be done
// without is done without.
func TestUnsetVariables(t *testing.T) {
	packed := archive(t, map[string]string{"bluegreen-action": echo})
	const begin = "::error title=kubectl bluegreen::"
	for name, test := range map[string]struct {
		set   map[string]string
		code  int
		want  string
		asked []string
	}{
		"nothing":        {nil, 1, begin + "no place for the engine: expected RUNNER_TOOL_CACHE, which every runner sets, to name a folder\n", []string{}},
		"a binary alone": {map[string]string{"INPUT_BINARY": "/none"}, 1, begin + "input binary: expected a program at /none, and there is none; build it in an earlier step, or leave the input out\n", []string{}},
		"a place alone":  {map[string]string{"RUNNER_TEMP": t.TempDir()}, 5, "engine main of \n", []string{"/bluegreen-dev/kubectl-bluegreen/releases/download/v1.2.3/kubectl-bluegreen_" + platform + ".tar.gz"}},
		"a server that is none": {map[string]string{"RUNNER_TEMP": t.TempDir(), "GITHUB_SERVER_URL": "here"}, 1,
			begin + "GITHUB_SERVER_URL: expected an address that begins with http:// or https:// and has no user and no password in it; what it says is not repeated here\n", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			github, s := release(t, packed), newStep(t, packed, echo)
			s.variables = map[string]string{"PATH": s.variables["PATH"]}
			maps.Copy(s.variables, test.set)
			s.asGitHub(github.server)
			if code, told := s.run("main"); code != test.code || told != test.want {
				t.Errorf("the step ended with %d and said %q", code, told)
			}
			if diff := cmp.Diff(test.asked, github.requests()); diff != "" {
				t.Errorf("what was asked for (-want +got):\n%s", diff)
			}
		})
	}
}
