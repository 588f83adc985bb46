package traffic_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// everyRoute opens a fresh route of every kind, sets and workers among them, that
// gives everything to blue.
func everyRoute() map[string]func(t *testing.T) traffic.Router {
	routes := map[string]func(t *testing.T) traffic.Router{
		"service": func(t *testing.T) traffic.Router {
			client, _ := clustertest.New(routertest.Production())
			router, err := traffic.NewRouter(client, routertest.ServiceRelease(), clock.RealClock{})
			if err != nil {
				t.Fatal(err)
			}
			return router
		},
		"set of services": func(t *testing.T) traffic.Router { return openServices(t, "one", "two", "three").router },
		"set of routes":   func(t *testing.T) traffic.Router { return openRoutes(t, 0).router },
	}
	for name, kind := range routertest.Kinds() {
		routes[name] = func(t *testing.T) traffic.Router { return openWeighted(t, kind, kind.Fresh).router }
	}
	for _, order := range []string{release.NewFirst, release.OldFirst} {
		routes["workers "+order] = func(t *testing.T) traffic.Router {
			c := openWorkers(t, order, 7, 0)
			return routertest.WorkersFixture(c.router, c.clientset, nil).Router
		}
	}
	return routes
}

// step is one that a run brings a route to.
type step struct {
	split   traffic.Split
	preview *traffic.Preview
}

// stepsOf are the steps of a run that makes use of all that a router can, after the
// stamp that begins it.
func stepsOf(router traffic.Router) []step {
	steps, able := []step{{split: traffic.Whole("blue")}}, router.Capabilities()
	if able.Previews.Header {
		steps = append(steps, step{split: traffic.Whole("blue"), preview: byHeader()})
	}
	if able.Weights {
		for _, percent := range []int{1, 33, 50} {
			steps = append(steps, step{split: traffic.Between("green", "blue", percent)})
		}
	}
	return append(steps, step{split: traffic.Whole("green")})
}

// TestMovesAreThoseThatAreWritten: the patches that are planned before anything is
// written, applied one after another, make of the objects what a run does that reads
// the route before each step.
func TestMovesAreThoseThatAreWritten(t *testing.T) {
	for name, open := range everyRoute() {
		t.Run(name, func(t *testing.T) { testMovesAreWritten(t, open(t)) })
		t.Run(name+" with a stop", func(t *testing.T) {
			router := open(t)
			if err := router.Stop(context.Background(), "checkout is down"); err != nil {
				t.Fatal(err)
			}
			testMovesAreWritten(t, router)
		})
	}
}

func testMovesAreWritten(t *testing.T, router traffic.Router) {
	planned := mustRead(t, router)
	objects := objectsOf(t, planned)
	for _, step := range stepsOf(router) {
		patches, left, err := traffic.Moves(router, planned.Previewing(step.preview), step.split, stamp)
		if err != nil {
			t.Fatal(err)
		}
		for _, patch := range patches {
			objects[patch.Object] = clustertest.Patched(t, objects[patch.Object], patch.Body)
		}
		patch, err := router.Plan(mustRead(t, router).Previewing(step.preview), step.split, stamp)
		if err == nil {
			_, err = router.Write(context.Background(), patch, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		written := mustRead(t, router)
		if !written.Has(step.split, step.preview) || !left.Has(step.split, step.preview) || left.Fence != written.Fence {
			t.Errorf("at %v %s is planned to be left, and %s is written", step, left.Shares(), written.Shares())
		}
		for object, want := range objectsOf(t, written) {
			if diff := cmp.Diff(lasting(t, want), lasting(t, objects[object])); diff != "" {
				t.Errorf("%s at %v (-written +planned):\n%s", object, step, diff)
			}
		}
		planned = left
	}
}

// TestMovesTellWhatTheyFind: each begins where the one before it ends.
func TestMovesTellWhatTheyFind(t *testing.T) {
	router := openRoutes(t, 0).router
	planned, last := mustRead(t, router), "blue=100"
	for _, step := range stepsOf(router) {
		patches, left, err := traffic.Moves(router, planned.Previewing(step.preview), step.split, stamp)
		if err != nil || len(patches) != 2 {
			t.Fatalf("%d patches, %v", len(patches), err)
		}
		told := traffic.Shares(step.split, step.preview)
		for _, patch := range patches {
			if patch.Found() != last || patch.Told() != told {
				t.Errorf("%s: %s → %s, want %s → %s", patch.Object, patch.Found(), patch.Told(), last, told)
			}
		}
		planned, last = left, told
	}
}

// A side of workers that is not deployed yet is waited for, whatever is planned.
func TestMovesOfWorkersThatAreNotDeployed(t *testing.T) {
	for _, to := range []traffic.Split{traffic.Whole("green"), traffic.Between("green", "blue", 50)} {
		router := openWorkers(t, release.NewFirst, 1, -1).router
		route := mustRead(t, router)
		patches, left, err := traffic.Moves(router, route, to, stamp)
		if err != nil || len(patches) == 0 || !left.Split.Equal(route.Split) {
			t.Errorf("to %s: %d patches leave %s, %v", to, len(patches), left.Shares(), err)
		}
	}
}

// objectsOf are the objects of a route as they were read.
func objectsOf(t *testing.T, route traffic.Route) map[string][]byte {
	t.Helper()
	objects := map[string][]byte{}
	for _, one := range route.Each() {
		object, err := json.Marshal(one.Live)
		if err != nil {
			t.Fatal(err)
		}
		objects[one.Object] = object
	}
	return objects
}

// lasting is an object without what only a server and a controller know.
func lasting(t *testing.T, object []byte) map[string]any {
	t.Helper()
	content := map[string]any{}
	if err := json.Unmarshal(object, &content); err != nil {
		t.Fatal(err)
	}
	for _, path := range [][]string{{"status"}, {"metadata", "resourceVersion"}, {"metadata", "managedFields"}, {"metadata", "annotations", cluster.AnnotationSwitched}} {
		unstructured.RemoveNestedField(content, path...)
	}
	return content
}
