package act

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// GitHub is a server on loopback that has the archive of a release, and answers what
// the Action asks GitHub's API for.
type GitHub struct {
	server  *httptest.Server
	archive []byte

	mutex    sync.Mutex
	readOnly bool
	asked    []Request
}

// Request is one that was made.
type Request struct {
	// Method is the verb, and Path what stands behind the server's name.
	Method, Path string
	// Body is what was sent.
	Body string
}

// The folders of the server.
const (
	releases = "/releases"
	api      = "/api"
)

func newGitHub(archive []byte) *GitHub {
	played := &GitHub{archive: archive}
	played.server = httptest.NewServer(played)
	return played
}

// ReadOnly says whether the token may only read, as that of a fork's pull request.
func (g *GitHub) ReadOnly(only bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.readOnly = only
}

// Asked returns what was asked for since the last time.
func (g *GitHub) Asked() []Request {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	asked := slices.Clone(g.asked)
	g.asked = nil
	return asked
}

// ServeHTTP implements http.Handler.
func (g *GitHub) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	g.mutex.Lock()
	g.asked = append(g.asked, Request{request.Method, request.URL.Path, string(body)})
	readOnly := g.readOnly
	g.mutex.Unlock()
	switch {
	case strings.HasPrefix(request.URL.Path, releases) && strings.HasSuffix(request.URL.Path, archiveName()):
		_, _ = answer.Write(g.archive)
	case !strings.HasPrefix(request.URL.Path, api+"/repos/"+Repository+"/"):
		http.NotFound(answer, request)
	case request.Method == http.MethodGet:
		fmt.Fprint(answer, "[]") // nobody has commented
	case readOnly:
		answer.WriteHeader(http.StatusForbidden)
		fmt.Fprint(answer, `{"message": "Resource not accessible by integration"}`)
	default:
		answer.WriteHeader(http.StatusCreated)
		fmt.Fprint(answer, `{"id": 7}`)
	}
}
