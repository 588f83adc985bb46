package watcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// server is an API server that holds events, and tells them to whom watches.
type server struct {
	t       *testing.T
	mutex   sync.Mutex
	events  []Event
	changed chan struct{}
	// late holds back what watches of pods are told while it is locked.
	late sync.Mutex
}

// happens adds an event of the next revision.
func (s *server) happens(event Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	event.Revision = uint64(len(s.events) + 1)
	event.Object.SetResourceVersion(fmt.Sprint(event.Revision))
	s.events = append(s.events, event)
	close(s.changed)
	s.changed = make(chan struct{})
}

// since are the events of a kind that came after a revision, and what is
// closed when there are more.
func (s *server) since(resource string, revision uint64) ([]Event, chan struct{}) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []Event
	for _, event := range s.events {
		if event.Revision > revision && strings.HasPrefix(keyOf(event.Object), strings.TrimSuffix(resource, "s")+"/") {
			found = append(found, event)
		}
	}
	return found, s.changed
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	resource := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]
	response.Header().Set("Content-Type", "application/json")
	if request.URL.Query().Get("watch") == "true" {
		s.watch(response, request, resource)
		return
	}
	events, _ := s.since(resource, 0)
	var items []any
	for _, event := range latest(events) {
		if !event.Gone {
			items = append(items, event.Object)
		}
	}
	s.mutex.Lock()
	revision := len(s.events)
	s.mutex.Unlock()
	kind, version := kindOf(resource)
	_ = json.NewEncoder(response).Encode(map[string]any{
		"kind": kind + "List", "apiVersion": version, "metadata": map[string]string{"resourceVersion": fmt.Sprint(revision)}, "items": items,
	})
}

// pass waits while what is told of pods is held back.
func (s *server) pass() {
	s.late.Lock()
	defer s.late.Unlock() //nolint:gocritic // it is passed, not held
}

// kindOf is the kind of a resource, and the version of its API.
func kindOf(resource string) (kind, version string) {
	switch resource {
	case "services":
		return "Service", "v1"
	case "pods":
		return "Pod", "v1"
	case "httproutes":
		return "HTTPRoute", "gateway.networking.k8s.io/v1"
	}
	return "EndpointSlice", "discovery.k8s.io/v1"
}

// watch tells what comes after a revision until nobody listens any more.
func (s *server) watch(response http.ResponseWriter, request *http.Request, resource string) {
	told := uint64(0)
	if _, err := fmt.Sscan(request.URL.Query().Get("resourceVersion"), &told); err != nil {
		s.t.Errorf("watch from %q", request.URL.Query().Get("resourceVersion"))
	}
	kind, version := kindOf(resource)
	for {
		events, changed := s.since(resource, told)
		if resource == "pods" {
			s.pass()
		}
		for _, event := range events {
			word := watch.Modified
			if event.Gone {
				word = watch.Deleted
			}
			text, err := json.Marshal(event.Object)
			if err != nil {
				s.t.Error(err)
			}
			fmt.Fprintf(response, "{\"type\":%q,\"object\":{\"kind\":%q,\"apiVersion\":%q,%s}\n", word, kind, version, text[1:])
			told = event.Revision
		}
		_ = http.NewResponseController(response).Flush()
		select {
		case <-request.Context().Done():
			return
		case <-changed:
		}
	}
}

// watching is a watcher of blue, with green beside it.
func watching(t *testing.T) (*server, *Watcher) {
	t.Helper()
	return watchingRoute(t, func(*testing.T, *rest.Config) Route { return Service("svc") },
		service(0, "blue"), slice(0, "a", true), pod(0, "b1", "blue", true), pod(0, "g1", "green", true))
}

// watchingRoute is a watcher of a route, when that has happened.
func watchingRoute(t *testing.T, route func(*testing.T, *rest.Config) Route, happened ...Event) (*server, *Watcher) {
	t.Helper()
	behind := &server{t: t, changed: make(chan struct{})}
	for _, event := range happened {
		behind.happens(event)
	}
	listening := httptest.NewServer(behind)
	t.Cleanup(listening.Close)
	config := &rest.Config{Host: listening.URL}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := Start(t.Context(), client, "shop", route(t, config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watcher.Stop)
	return behind, watcher
}

// A stream that is behind is waited for, and what it tells is put where it
// belongs: a pod that ended after the switch was not selected any more.
func TestCheckWaitsForEveryStream(t *testing.T) {
	behind, watcher := watching(t)
	if err := watcher.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	behind.late.Lock()
	behind.happens(service(0, "green"))
	behind.happens(slice(0, "a", true))
	behind.happens(gone(pod(0, "b1", "blue", true)))
	checked := make(chan error, 1)
	go func() { checked <- watcher.Check(t.Context()) }()
	select {
	case err := <-checked:
		t.Fatalf("checked before the pods were told of: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	behind.late.Unlock()
	if err := <-checked; err != nil {
		t.Error(err)
	}
}

// A moment in which nothing was selected is seen afterwards.
func TestCheckSeesAMoment(t *testing.T) {
	behind, watcher := watching(t)
	behind.happens(pod(0, "b1", "blue", false))
	behind.happens(pod(0, "b1", "blue", true))
	var nothing *NothingError
	if err := watcher.Check(t.Context()); !errors.As(err, &nothing) || nothing.Events != 1 {
		t.Errorf("checked: %v", err)
	}
}

// A Service that is deleted selects nothing from then on.
func TestCheckWithoutAService(t *testing.T) {
	behind, watcher := watching(t)
	behind.happens(gone(service(0, "blue")))
	var nothing *NothingError
	if err := watcher.Check(t.Context()); !errors.As(err, &nothing) || nothing.Why != "there is no Service svc" {
		t.Errorf("checked: %v", err)
	}
}

// sharing is a route with weights, as the server tells it.
func sharing(t *testing.T, config *rest.Config) Route {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	resource := schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	return shared(client.Resource(resource).Namespace("shop"))
}

// A route with weights is a stream among the others: what it gave to nobody for
// a moment is seen, and what it gave to who was ready is well.
func TestCheckSeesWeights(t *testing.T) {
	happened := slices.Concat([]Event{backends(0, map[string]int64{"blue": 100})}, side("blue", true), side("green", true))
	behind, watcher := watchingRoute(t, sharing, happened...)
	behind.happens(backends(0, map[string]int64{"blue": 50, "green": 50}))
	if err := watcher.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	behind.happens(pod(0, "green", "green", false))
	behind.happens(backends(0, map[string]int64{"blue": 100, "green": 0}))
	var nothing *NothingError
	if err := watcher.Check(t.Context()); !errors.As(err, &nothing) || nothing.Events != 1 || nothing.Why != "no pod that app=shop,version=green selects is ready" {
		t.Errorf("checked: %v", err)
	}
}
