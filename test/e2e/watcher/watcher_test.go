package watcher

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func service(revision uint64, version string) Event {
	return Event{Revision: revision, Object: &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "svc"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": version}},
	}}
}

func slice(revision uint64, name string, ready ...bool) Event {
	object := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name}}
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
		"no endpoint":        {start(slice(11, "a", false)), "no EndpointSlice of the Service holds a ready endpoint", 1},
		"a moment between two slices": {start(gone(slice(11, "a")), slice(12, "b", true)),
			"no EndpointSlice of the Service holds a ready endpoint", 1},
		"the Service is gone": {start(gone(service(11, "blue")), pod(12, "b2", "blue", true)), "the Service is gone", 2},
		// The stream of Services may be told of later than that of pods.
		"told out of order":            {start(gone(pod(13, "b1", "blue", true)), slice(12, "a", true), service(11, "green")), "", 0},
		"beyond what all streams know": {start(service(101, "red")), "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := judge(test.events, 10, 100)
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
	if err := judge([]Event{service(3, "green"), slice(4, "a", true), pod(5, "b1", "blue", true)}, 10, 100); err == nil {
		t.Error("a route that began with nothing is judged well")
	}
	// What was half known before is not.
	if err := judge(start(), 10, 100); err != nil {
		t.Error(err)
	}
}

// A failure shows what led to it.
func TestNothingErrorTellsTheStory(t *testing.T) {
	err := judge(start(pod(11, "b1", "blue", false), pod(12, "b1", "blue", true)), 10, 100)
	for _, part := range []string{"after 1 events", "3 service/svc selects app=shop,version=blue", "4 endpointslice/a has 1 of 1 endpoints ready", "11 pod/b1 ready false", "12 pod/b1 ready true"} {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("nothing says %q in %v", part, err)
		}
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
