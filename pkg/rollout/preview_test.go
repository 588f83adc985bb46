package rollout

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// previewRunner is a runner of a release behind an HTTPRoute, on blue, whose steps
// begin with a preview.
type previewRunner struct {
	*Runner
	mortal
	t      *testing.T
	routes dynamic.ResourceInterface
	// before are the rules as they were.
	before []any
}

// previewStep is the first of its steps.
var previewStep = release.Step{Match: &release.Match{Header: &release.NamedValue{Name: "X-Version", Value: "next"}}, Hold: minutes(2)}

func newPreviewRunner(t *testing.T, steps ...release.Step) *previewRunner {
	t.Helper()
	objects := []runtime.Object{deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green")}
	for _, color := range []string{"blue", "green"} {
		objects = append(objects,
			&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc-" + color, Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"version": color}}},
			&discoveryv1.EndpointSlice{
				ObjectMeta:  metav1.ObjectMeta{Name: "svc-" + color + "-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "svc-" + color}},
				AddressType: discoveryv1.AddressTypeIPv4,
				Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
					TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod(color).Name}}},
			})
	}
	runner, _, prepend := newRunner(t, objects...)
	kind := routertest.HTTPRoute()
	routes := clustertest.Dynamic(runner.Client, routertest.Object(t, kind.Fresh))
	p := &previewRunner{Runner: runner, t: t, routes: runner.Client.Dynamic.Resource(kind.Resource).Namespace("shop")}
	tracker := runner.Client.Kubernetes.(*fake.Clientset).Tracker()
	prepend("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		patch, is := action.(clienttesting.PatchActionImpl)
		if is && patch.Name == "shop-green" && bytes.Contains(patch.Patch, []byte("/spec/replicas")) {
			_ = tracker.Delete(corev1.SchemeGroupVersion.WithResource("pods"), "shop", pod("green").Name) // as its controller would
		}
		return p.dead != nil, nil, p.dead
	})
	routes.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if p.dead == nil && action.GetVerb() == "patch" {
			if p.wrote++; p.answers != nil {
				err := p.answers(action.(clienttesting.PatchAction).GetName())
				return err != nil, nil, err
			}
		}
		return p.dead != nil, nil, p.dead
	})
	spec := &runner.Release.Spec
	for color, one := range spec.Colors {
		one.Service = "svc-" + color
		spec.Colors[color] = one
	}
	spec.Traffic.Service = nil
	kind.Declare(&spec.Traffic)
	spec.Traffic.Steps = append([]release.Step{previewStep}, steps...)
	p.Router, p.before = p.open(), p.rules()
	return p
}

func (p *previewRunner) open() traffic.Router {
	p.t.Helper()
	router, err := traffic.NewRouter(p.Client, p.Release, p.Clock)
	if err != nil {
		p.t.Fatal(err)
	}
	return router
}

// again is another process over the same cluster.
func (p *previewRunner) again() *Runner {
	return &Runner{Client: p.Client, Release: p.Release, Router: p.open(), Clock: p.Clock, Holder: "carl@desk/3", Journal: p.Journal}
}

// object is the route past the router.
func (p *previewRunner) object() *unstructured.Unstructured {
	p.t.Helper()
	object, err := p.routes.Get(context.Background(), routertest.Name, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return object
}

func (p *previewRunner) rules() []any {
	rules, _, _ := unstructured.NestedSlice(p.object().Object, "spec", "rules")
	return rules
}

// previewed gives the route the preview, as a run does that stands in it.
func (p *previewRunner) previewed() {
	p.t.Helper()
	router := p.open()
	route, err := router.Read(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	preview := &traffic.Preview{Color: "green", Match: *previewStep.Match}
	patch, err := router.Plan(route.Previewing(preview), traffic.Whole("blue"), cluster.Fence{})
	if err == nil {
		_, err = router.Write(context.Background(), patch, false)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// left leaves a run that was killed in a phase of a step.
func (p *previewRunner) left(phase Phase, step int) {
	p.t.Helper()
	tenure, err := p.Journal.Acquire(p.t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		p.t.Fatal(err)
	}
	state := State{Phase: phase, Step: step, From: "blue", To: "green", Moved: true, Started: p.Clock.Now(), Entered: p.Clock.Now()}
	if err := tenure.Save(p.t.Context(), state, string(phase)); err != nil {
		p.t.Fatal(err)
	}
	if err := tenure.Release(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// wantAsBefore fails the test unless every rule is what it was, and no mark is
// left.
func (p *previewRunner) wantAsBefore() {
	p.t.Helper()
	if diff := cmp.Diff(p.before, p.rules()); diff != "" {
		p.t.Errorf("rules (-before +after):\n%s", diff)
	}
	if mark, found := p.object().GetAnnotations()[cluster.AnnotationPreview]; found {
		p.t.Errorf("the mark %s is left", mark)
	}
}

// wantPreview fails the test unless the route has the preview.
func (p *previewRunner) wantPreview() {
	p.t.Helper()
	route, err := p.open().Read(context.Background())
	if want := (&traffic.Preview{Color: "green", Match: *previewStep.Match}); err != nil || !route.Has(traffic.Whole("blue"), want) {
		p.t.Errorf("the route has %s, %v", route.Shares(), err)
	}
}

// TestAPreviewIsWrittenProvenAndLeft goes from the switch to the preview through
// its proof to the switch of the next step, which takes it away.
func TestAPreviewIsWrittenProvenAndLeft(t *testing.T) {
	p := newPreviewRunner(t, release.Step{Weight: 100})
	driving(t, p.Runner, release.DrainNone)
	if err := p.takeOver(t.Context(), nil, State{}); err != nil {
		t.Fatal(err)
	}
	state := func(phase Phase, step int) State {
		return at(phase, moved, func(s *State) { s.Step, s.Entered = step, p.Clock.Now() })
	}
	look := func(phase Phase, step int, says string) {
		t.Helper()
		if seen := p.look(t.Context(), state(phase, step)); seen.Kind != Succeeded || !strings.Contains(seen.Message, says) {
			t.Errorf("%s = %s (%s), want %q", phase, seen.Kind, seen.Message, says)
		}
	}
	look(Switch, 0, "httproute/shop blue=100 → blue=100, and green to requests with header X-Version: next, written in")
	p.wantPreview()
	look(Switch, 0, "has blue=100, and green to requests with header X-Version: next already")
	look(Prove, 0, "ready green pods")
	if seen := p.look(t.Context(), state(Hold, 0)); seen.Kind != Ticked {
		t.Errorf("hold = %s (%s)", seen.Kind, seen.Message)
	}
	if err := p.givesNothing(t.Context(), state(End, 0)); err == nil || !strings.Contains(err.Error(), "green is not to be ended") {
		t.Errorf("what gets requests that ask for it would be ended: %v", err)
	}
	run := p.tenure.Run()
	if open := journal.Open(run.Entries); len(open) != 0 || len(run.Entries) < 2 || run.Entries[len(run.Entries)-2].Kind != journal.Intent {
		t.Errorf("the record has %+v", run.Entries)
	}
	look(Switch, 1, "blue=100, and green to requests with header X-Version: next → green=100, written in")
	route, err := p.Router.Read(t.Context())
	if err != nil || !route.Has(traffic.Whole("green"), nil) || len(p.rules()) != len(p.before) {
		t.Errorf("the route has %s and %d rules, %v", route.Shares(), len(p.rules()), err)
	}
}

// TestAPreviewGoesBack: a rollback takes away what was added and nothing else, from
// every phase of it, with a record and by the live objects alone.
func TestAPreviewGoesBack(t *testing.T) {
	for name, leave := range map[string]func(p *previewRunner){
		"before it was written":  func(p *previewRunner) { p.left(Switch, 0) },
		"after it was written":   func(p *previewRunner) { p.previewed(); p.left(Switch, 0) },
		"in its proof":           func(p *previewRunner) { p.previewed(); p.left(Prove, 0) },
		"in its hold":            func(p *previewRunner) { p.previewed(); p.left(Hold, 0) },
		"before the next switch": func(p *previewRunner) { p.previewed(); p.left(Switch, 1) },
		"with no record":         func(p *previewRunner) { p.previewed() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPreviewRunner(t, release.Step{Weight: 100})
			leave(p)
			outcome, err := p.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
			if err != nil || outcome.Code != CodeDone || !strings.Contains(outcome.Message, "blue serves") {
				t.Errorf("outcome = %+v, %v", outcome, err)
			}
			p.wantAsBefore()
		})
	}
}

// TestAPreviewWithNoRecordIsInTheWay: nobody may begin, or end the idle side, while
// requests are led there.
func TestAPreviewWithNoRecordIsInTheWay(t *testing.T) {
	p := newPreviewRunner(t, release.Step{Weight: 100})
	p.previewed()
	const leads = "leads green to requests with header X-Version: next"
	if _, err := p.Shift(t.Context(), ShiftRequest{}); err == nil || !strings.Contains(err.Error(), leads) || release.HintOf(err) != "kubectl bluegreen rollback" {
		t.Errorf("shift: %v", err)
	}
	if _, err := p.DryRun(t.Context(), ShiftRequest{}, true); err == nil || !strings.Contains(err.Error(), leads) {
		t.Errorf("shift --dry-run: %v", err)
	}
	if outcome, err := p.Finish(t.Context(), FinishRequest{}); err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, leads) {
		t.Errorf("finish: %+v, %v", outcome, err)
	}
	if err := p.mayEmpty(t.Context(), Finish{Idle: "green", Live: "blue"}); err == nil {
		t.Error("the idle side would be emptied")
	}
	p.wantPreview()
}

// TestAPreviewIsResumed: what was killed before or after its write goes on with the
// preview there, once.
func TestAPreviewIsResumed(t *testing.T) {
	for _, written := range []bool{true, false} {
		t.Run(fmt.Sprintf("written: %v", written), func(t *testing.T) {
			p := newPreviewRunner(t, release.Step{Weight: 100})
			if written {
				p.previewed()
			}
			driving(t, p.Runner, release.DrainNone)
			if err := p.takeOver(t.Context(), nil, State{}); err != nil {
				t.Fatal(err)
			}
			found := p.found(t.Context(), journal.Entry{Kind: journal.Intent, Action: "switch", Object: "httproute/shop"})
			if strings.Contains(found, "green") != written {
				t.Errorf("found %q", found)
			}
			if seen := p.look(t.Context(), at(Switch, moved, func(s *State) { s.Entered = p.Clock.Now() })); seen.Kind != Succeeded {
				t.Errorf("switch = %s (%s)", seen.Kind, seen.Message)
			}
			p.wantPreview()
			if len(p.rules()) != len(p.before)+1 {
				t.Errorf("%d rules, and %d before", len(p.rules()), len(p.before))
			}
		})
	}
}

// TestAPreviewWhoseProcessIsKilledAtAnyWrite: wherever that is, a rollback by
// another process leaves the route as it was.
func TestAPreviewWhoseProcessIsKilledAtAnyWrite(t *testing.T) {
	for step, phase := range []Phase{Switch, Switch} {
		for after := range 2 { // the stamp, the switch
			for _, made := range []bool{true, false} {
				t.Run(fmt.Sprintf("step %d, write %d, made: %v", step, after+1, made), func(t *testing.T) {
					p := newPreviewRunner(t, release.Step{Weight: 50}, release.Step{Weight: 100})
					if step > 0 {
						p.previewed()
					}
					p.left(phase, step)
					p.wrote = 0
					p.killedAt(t, after, made, func(ctx context.Context) { _, _ = p.Resume(ctx) })
					wantBack(t, p.again())
					p.wantAsBefore()
				})
			}
		}
	}
}

// TestAPreviewIsGuarded: somebody who takes it away, or a stop, is seen within one
// look; who has put a rule of their own there is not.
func TestAPreviewIsGuarded(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(object map[string]any)
		want Kind
		says string
	}{
		"as it is": {func(map[string]any) {}, Ticked, ""},
		"taken away": {func(object map[string]any) {
			rules, _, _ := unstructured.NestedSlice(object, "spec", "rules")
			_ = unstructured.SetNestedSlice(object, rules[1:], "spec", "rules")
		}, Rival, "was changed to blue=100 by somebody while this run had given it blue=100, and green to requests with header X-Version: next"},
		"a rule beside": {func(object map[string]any) {
			rules, _, _ := unstructured.NestedSlice(object, "spec", "rules")
			_ = unstructured.SetNestedSlice(object, append(rules, routertest.HTTPRoute().Previews.Foreign), "spec", "rules")
		}, Ticked, ""},
		"a stop": {func(object map[string]any) {
			_ = unstructured.SetNestedField(object, "broken", "metadata", "annotations", cluster.AnnotationStop)
		}, Stopped, "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPreviewRunner(t, release.Step{Weight: 100})
			p.previewed()
			driving(t, p.Runner, release.DrainNone)
			if err := p.takeOver(t.Context(), nil, State{}); err != nil {
				t.Fatal(err)
			}
			routertest.Edit(t, p.routes, test.edit)
			if seen := p.look(t.Context(), at(Hold, moved, func(s *State) { s.Entered = p.Clock.Now() })); seen.Kind != test.want || !strings.Contains(seen.Message, test.says) {
				t.Errorf("hold = %s (%s), want %s %q", seen.Kind, seen.Message, test.want, test.says)
			}
		})
	}
}

// TestAPreviewIsPlanned: a dry run lists it with its patch, and each step after it
// begins with what the one before leaves. The patches, one after another, make what
// a run makes, and nothing is written.
func TestAPreviewIsPlanned(t *testing.T) {
	p := newPreviewRunner(t, release.Step{Weight: 50, Hold: minutes(3)}, release.Step{Weight: 100})
	plan, err := p.DryRun(t.Context(), ShiftRequest{}, true)
	if err != nil {
		t.Fatal(err)
	}
	object, err := json.Marshal(p.object())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, write := range plan.Writes {
		if !strings.HasPrefix(write.Object, "httproute/") {
			continue
		}
		object = clustertest.Patched(t, object, write.Patch)
		if write.Phase == Switch {
			got = append(got, fmt.Sprintf("%s → %s for %s: %s", write.From, write.To, write.Hold, weightsOf(t, object)))
		}
	}
	const previewed = "blue=100, and green to requests with header X-Version: next"
	want := []string{
		"blue=100 → " + previewed + " for 2m: svc-green=1; svc-blue=1 svc-green=0",
		previewed + " → blue=50,green=50 for 3m: svc-blue=1 svc-green=1",
		"blue=50,green=50 → green=100 for 0s: svc-blue=0 svc-green=1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p.wantAsBefore()
}

// weightsOf are the backends of each rule of an HTTPRoute with their weights.
func weightsOf(t *testing.T, object []byte) string {
	t.Helper()
	route := struct {
		Spec struct {
			Rules []struct {
				BackendRefs []struct {
					Name   string
					Weight int
				}
			}
		}
	}{}
	if err := json.Unmarshal(object, &route); err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, rule := range route.Spec.Rules {
		var backends []string
		for _, one := range rule.BackendRefs {
			backends = append(backends, fmt.Sprintf("%s=%d", one.Name, one.Weight))
		}
		rules = append(rules, strings.Join(backends, " "))
	}
	return strings.Join(rules, "; ")
}
