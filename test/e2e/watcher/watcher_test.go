package watcher

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"
)

func service(revision uint64, version string) Event {
	return Event{Revision: revision, Object: &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "svc"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": version}},
	}}
}

func slice(revision uint64, name string, ready ...bool) Event {
	return sliceOf("svc", revision, name, ready...)
}

func sliceOf(service string, revision uint64, name string, ready ...bool) Event {
	object := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}}}
	for _, is := range ready {
		object.Endpoints = append(object.Endpoints, discoveryv1.Endpoint{Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(is)}})
	}
	return Event{Revision: revision, Object: object}
}

func pod(revision uint64, name, version string, ready bool) Event {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return Event{Revision: revision, Object: &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "shop", "version": version}},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
	}}
}

func gone(event Event) Event {
	event.Gone = true
	return event
}

// start is blue in production and green ready beside it, at revision 10.
func start(more ...Event) []Event {
	return append([]Event{service(3, "blue"), slice(4, "a", true), pod(5, "b1", "blue", true), pod(6, "g1", "green", true)}, more...)
}

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		events []Event
		why    string // "" where somebody always answers
		times  int
	}{
		"nothing happens": {start(), "", 0},
		"a switch":        {start(service(11, "green"), slice(12, "a", true), gone(pod(13, "b1", "blue", true))), "", 0},
		"a second slice":  {start(slice(11, "b", true), slice(12, "a")), "", 0},
		"to what is not there": {start(service(11, "red"), service(12, "blue")),
			"no pod that app=shop,version=red selects is ready", 1},
		"the old side ended too early": {start(gone(pod(11, "b1", "blue", true)), service(12, "green")),
			"no pod that app=shop,version=blue selects is ready", 1},
		"not ready any more": {start(pod(11, "b1", "blue", false)), "no pod that app=shop,version=blue selects is ready", 1},
		"no endpoint":        {start(slice(11, "a", false)), "no EndpointSlice of svc holds a ready endpoint", 1},
		"a moment between two slices": {start(gone(slice(11, "a")), slice(12, "b", true)),
			"no EndpointSlice of svc holds a ready endpoint", 1},
		"the Service is gone": {start(gone(service(11, "blue")), pod(12, "b2", "blue", true)), "there is no Service svc", 2},
		// What other Services hold helps nobody who is sent to this one.
		"another's endpoints": {start(slice(11, "a", false), sliceOf("other", 12, "b", true)), "no EndpointSlice of svc holds a ready endpoint", 2},
		// The stream of Services may be told of later than that of pods.
		"told out of order":            {start(gone(pod(13, "b1", "blue", true)), slice(12, "a", true), service(11, "green")), "", 0},
		"beyond what all streams know": {start(service(101, "red")), "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := judge(Service("svc"), test.events, 10, 100)
			var nothing *NothingError
			if !errors.As(err, &nothing) {
				if test.why != "" || err != nil {
					t.Errorf("judged %v, want %q", err, test.why)
				}
				return
			}
			if nothing.Why != test.why || nothing.Events != test.times {
				t.Errorf("%d times %q, want %d times %q", nothing.Events, nothing.Why, test.times, test.why)
			}
		})
	}
}

// The state at the beginning counts too, once all of it is known.
func TestJudgeTheBeginning(t *testing.T) {
	if err := judge(Service("svc"), []Event{service(3, "green"), slice(4, "a", true), pod(5, "b1", "blue", true)}, 10, 100); err == nil {
		t.Error("a route that began with nothing is judged well")
	}
	// What was half known before is not.
	if err := judge(Service("svc"), start(), 10, 100); err != nil {
		t.Error(err)
	}
}

// A failure shows what led to it.
func TestNothingErrorTellsTheStory(t *testing.T) {
	err := judge(Service("svc"), start(pod(11, "b1", "blue", false), pod(12, "b1", "blue", true)), 10, 100)
	for _, part := range []string{"after 1 events", "3 service/svc selects app=shop,version=blue", "4 endpointslice/a has 1 of 1 endpoints ready", "11 pod/b1 ready false", "12 pod/b1 ready true"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("nothing says %q in %v", part, err)
		}
	}
}

// backends is a route that gives Services weights; -1 is one that can't be read.
func backends(revision uint64, weights map[string]int64) Event {
	object := &unstructured.Unstructured{Object: map[string]any{"kind": "HTTPRoute", "spec": map[string]any{}}}
	object.SetName("web")
	for name, weight := range weights {
		_ = unstructured.SetNestedField(object.Object, weight, "spec", name) // a map of maps takes it
	}
	return Event{Revision: revision, Object: object}
}

// shared is a route as backends makes them.
func shared(objects dynamic.ResourceInterface) Route {
	return Weighted(objects, "httproutes", "web", func(object *unstructured.Unstructured) (found []string, err error) {
		weights, _, err := unstructured.NestedMap(object.Object, "spec")
		for _, name := range slices.Sorted(maps.Keys(weights)) {
			switch weight, _ := weights[name].(int64); {
			case weight > 0:
				found = append(found, name)
			case weight < 0:
				err = errors.New("a weight below nothing")
			}
		}
		return found, err
	})
}

// side is a colour: its Service, an endpoint and a pod.
func side(color string, ready bool) []Event {
	its := service(4, color)
	its.Object.SetName(color)
	return []Event{its, sliceOf(color, 5, color, ready), pod(6, color, color, ready)}
}

// Wherever a request may be sent, somebody answers: every Service with a weight
// is held to that, and none without.
func TestJudgeWeights(t *testing.T) {
	const nobody = "no EndpointSlice of green holds a ready endpoint"
	to := func(revision uint64, blue, green int64) Event {
		return backends(revision, map[string]int64{"blue": blue, "green": green})
	}
	healthy := slices.Concat([]Event{to(3, 100, 0)}, side("blue", true), side("green", true))
	idle := slices.Concat([]Event{to(3, 100, 0)}, side("blue", true), side("green", false))
	alone := slices.Concat([]Event{to(3, 100, 0)}, side("blue", true))
	then := func(before []Event, more ...Event) []Event { return slices.Concat(before, more) }
	tests := map[string]struct {
		events []Event
		why    string // "" where somebody always answers
		times  int
	}{
		"in steps":               {then(healthy, to(11, 50, 50), to(12, 0, 100), gone(pod(13, "blue", "blue", true))), "", 0},
		"nobody needs who has 0": {idle, "", 0},
		"nor need it be there":   {alone, "", 0},
		"a weight too early":     {then(idle, to(11, 50, 50), sliceOf("green", 12, "green", true), pod(13, "green", "green", true)), nobody, 2},
		"a part of nobody":       {then(alone, to(11, 99, 1), to(12, 100, 0)), "there is no Service green", 1},
		"ended too early": {then(healthy, to(11, 1, 99), pod(12, "blue", "blue", false), to(13, 0, 100)),
			"no pod that app=shop,version=blue selects is ready", 1},
		"back, and ended after": {then(healthy, to(11, 50, 50), to(12, 100, 0), gone(pod(13, "green", "green", true)), sliceOf("green", 14, "green")), "", 0},
		"to nobody at all":      {then(healthy, to(11, 0, 0), to(12, 0, 100)), "the route gives nothing to anybody", 1},
		"gone":                  {then(healthy, gone(to(11, 100, 0)), pod(12, "b2", "blue", true)), "the route is gone", 2},
		"not to be read":        {then(healthy, to(11, -1, 100)), "the route can't be read: a weight below nothing", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var nothing *NothingError
			switch err := judge(shared(nil), test.events, 10, 100); {
			case err == nil && test.why == "":
			case !errors.As(err, &nothing) || nothing.Why != test.why || nothing.Events != test.times:
				t.Errorf("judged %v, want %d times %q", err, test.times, test.why)
			case !strings.Contains(err.Error(), `httproute/web says {"blue":`):
				t.Errorf("the story leaves the route out: %v", err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	known := []Event{pod(5, "b1", "blue", true), pod(6, "g1", "green", true)}
	tests := map[string]struct {
		events, listed []Event
		want           string
	}{
		"all known":                  {known, known, ""},
		"a change not told yet":      {known, []Event{pod(7, "b1", "blue", true), known[1]}, "pod/b1"},
		"a new one not told yet":     {known, append([]Event{pod(7, "b2", "blue", true)}, known...), "pod/b2"},
		"a deletion not told yet":    {known, known[:1], "pod/g1"},
		"a deletion that was told":   {append([]Event{gone(pod(7, "g1", "green", true))}, known...), known[:1], ""},
		"one that is newer than all": {append([]Event{pod(11, "b2", "blue", true)}, known...), known, ""},
	}
	for name, test := range tests {
		if got := missing(test.events, test.listed, 10); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
