package watcher

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
)

// Event is one object as it was from one revision on.
type Event struct {
	// Revision orders the events of all kinds.
	Revision uint64
	// Object is the object; with Gone it is what was deleted.
	Object metav1.Object
	Gone   bool
}

// String says what the event means for the route.
func (e Event) String() string {
	text := fmt.Sprintf("%d %s", e.Revision, keyOf(e.Object))
	switch object := e.Object.(type) {
	case *unstructured.Unstructured:
		spec, _ := json.Marshal(object.Object["spec"]) // as long as the story needs, and it came as JSON
		text += " says " + string(spec)
	case *corev1.Service:
		text += fmt.Sprintf(" selects %s", labels.Set(object.Spec.Selector))
	case *discoveryv1.EndpointSlice:
		text += fmt.Sprintf(" has %d of %d endpoints ready", readyIn(object), len(object.Endpoints))
	case *corev1.Pod:
		text += fmt.Sprintf(" ready %t, labels %s", isReady(object), labels.Set(object.Labels))
	}
	if e.Gone {
		text += ", deleted"
	}
	return text
}

// keyOf tells objects apart.
func keyOf(object metav1.Object) string {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", object), "*v1.")
	if object, is := object.(*unstructured.Unstructured); is {
		kind = object.GetKind()
	}
	return strings.ToLower(kind) + "/" + object.GetName()
}

// readyIn counts the ready endpoints of a slice; one that says nothing is
// ready, as the API has it.
func readyIn(slice *discoveryv1.EndpointSlice) int {
	ready := 0
	for _, endpoint := range slice.Endpoints {
		if ptr.Deref(endpoint.Conditions.Ready, true) {
			ready++
		}
	}
	return ready
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
	})
}

// state is what there is at one revision.
type state map[string]metav1.Object

// apply makes the state that of an event.
func (s state) apply(event Event) {
	if event.Gone {
		delete(s, keyOf(event.Object))
		return
	}
	s[keyOf(event.Object)] = event.Object
}

// nothing says why nobody would answer some requests of a route, "" where
// somebody would answer all.
func (s state) nothing(route Route) string {
	receivers, why := route.receivers(s)
	if why != "" {
		return why
	}
	for _, name := range receivers {
		if why := s.nobody(name); why != "" {
			return why
		}
	}
	return ""
}

// nobody says why nobody is behind a Service, "" where somebody is.
func (s state) nobody(name string) string {
	service, is := s["service/"+name].(*corev1.Service)
	switch {
	case !is:
		return fmt.Sprintf("there is no Service %s", name)
	case s.endpoints(name) == 0:
		return fmt.Sprintf("no EndpointSlice of %s holds a ready endpoint", name)
	case s.selected(service.Spec.Selector) == 0:
		return fmt.Sprintf("no pod that %s selects is ready", labels.Set(service.Spec.Selector))
	}
	return ""
}

// endpoints counts the ready endpoints of a Service.
func (s state) endpoints(service string) int {
	ready := 0
	for _, object := range s {
		if slice, is := object.(*discoveryv1.EndpointSlice); is && slice.Labels[discoveryv1.LabelServiceName] == service {
			ready += readyIn(slice)
		}
	}
	return ready
}

// selected counts the ready pods that a selector matches. An empty selector
// matches none, as for a Service.
func (s state) selected(selector map[string]string) int {
	ready := 0
	for _, object := range s {
		pod, ok := object.(*corev1.Pod)
		if ok && len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) && isReady(pod) {
			ready++
		}
	}
	return ready
}

// NothingError says that the route selected nothing.
type NothingError struct {
	// Why it did, and how many events did not end that.
	Why    string
	Events int
	// Around are the events before the first such state and a few after it.
	Around []Event
}

// Error tells the story.
func (e *NothingError) Error() string {
	lines := []string{fmt.Sprintf(promise.Broken+"the route selected nothing, after %d events: %s; the events around the first of them:", e.Events, e.Why)}
	for _, event := range e.Around {
		lines = append(lines, "  "+event.String())
	}
	return strings.Join(lines, "\n")
}

// before and after are how many events a NothingError tells.
const before, after = 12, 4

// judge plays events of a route back in the order of their revisions. The state is whole
// from revision from on, and known up to until; it is looked at after every
// event in between, and at from itself.
func judge(route Route, events []Event, from, until uint64) error {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b Event) int { return int(int64(a.Revision) - int64(b.Revision)) })
	played := state{}
	var found *NothingError
	for position, event := range events {
		if event.Revision > until {
			break
		}
		played.apply(event)
		next := position + 1
		if next < len(events) && events[next].Revision <= from {
			continue // the state is not whole yet
		}
		why := played.nothing(route)
		switch {
		case why == "":
		case found == nil:
			found = &NothingError{Why: why, Events: 1, Around: events[max(0, next-before):min(len(events), next+after)]}
		default:
			found.Events++
		}
	}
	if found == nil {
		return nil
	}
	return found
}

// latest are the newest events of each object.
func latest(events []Event) map[string]Event {
	newest := map[string]Event{}
	for _, event := range events {
		if known, found := newest[keyOf(event.Object)]; !found || event.Revision >= known.Revision {
			newest[keyOf(event.Object)] = event
		}
	}
	return newest
}

// missing names an object of which the events do not know what a list does,
// "" when they know all of it. The list holds all objects of its kinds.
func missing(events []Event, listed []Event, revision uint64) string {
	newest, there := latest(events), map[string]bool{}
	for _, object := range listed {
		key := keyOf(object.Object)
		there[key] = true
		if known, found := newest[key]; !found || known.Revision < object.Revision {
			return key
		}
	}
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		if known := newest[key]; !there[key] && !known.Gone && known.Revision <= revision {
			return key
		}
	}
	return ""
}
