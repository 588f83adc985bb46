package routertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Previews look at, and disturb, the rules of a route that can lead requests to
// one colour before all others.
type Previews struct {
	// Rules are the rules as they stand in the object, in order.
	Rules func(t *testing.T) []any
	// Insert puts a rule of somebody else's before all others, which leads to no
	// colour; Take one that wants what a preview does, and leads to a colour.
	Insert func(t *testing.T)
	Take   func(t *testing.T, match release.Match)
	// Keep leaves so many rules, the last ones.
	Keep func(t *testing.T, rules int)
}

// PreviewRules are the rules of a Kind that can lead requests to one colour.
type PreviewRules struct {
	// Path is where their list stands.
	Path []string
	// Foreign is a rule of somebody else's for a part of the requests, and Wanting
	// one that leads requests with a header to green.
	Foreign map[string]any
	Wanting func(header release.NamedValue) map[string]any
}

// previews are the ways of a route of the kind; nil where it can't.
func (k Kind) previews(objects dynamic.ResourceInterface) *Previews {
	if k.Previews == nil {
		return nil
	}
	rules := func(object map[string]any) []any {
		found, _, _ := unstructured.NestedSlice(object, k.Previews.Path...)
		return found
	}
	edit := func(t *testing.T, change func(rules []any) []any) {
		t.Helper()
		Edit(t, objects, func(object map[string]any) {
			if err := unstructured.SetNestedSlice(object, change(rules(object)), k.Previews.Path...); err != nil {
				t.Fatal(err)
			}
		})
	}
	return &Previews{
		Rules: func(t *testing.T) []any { return rules(look(t, objects)) },
		Insert: func(t *testing.T) {
			edit(t, func(rules []any) []any { return slices.Insert(rules, 0, any(k.Previews.Foreign)) })
		},
		Take: func(t *testing.T, match release.Match) {
			edit(t, func(rules []any) []any { return slices.Insert(rules, 0, any(k.Previews.Wanting(*match.Header))) })
		},
		Keep: func(t *testing.T, count int) { edit(t, func(rules []any) []any { return rules[len(rules)-count:] }) },
	}
}

// previewOf is a preview of the idle colour that every driver with any can give.
func previewOf(f Fixture) *traffic.Preview {
	return &traffic.Preview{Color: f.Idle, Match: release.Match{Header: &release.NamedValue{Name: "X-Version", Value: "next"}}}
}

// previewed is what a test of previews needs; a route that can must have it.
func previewed(t *testing.T, f Fixture) *Previews {
	t.Helper()
	able := f.Router.Capabilities().Previews != release.Previews{}
	if f.Previews == nil && able {
		t.Fatal("a route with previews, and a fixture without")
	}
	if f.Previews == nil {
		t.Skip("this kind of route has no previews")
	}
	return f.Previews
}

// send plans and writes, from a route as it is wanted.
func send(t *testing.T, router traffic.Router, route traffic.Route, to traffic.Split) traffic.Route {
	t.Helper()
	written, err := router.Write(context.Background(), plan(t, router, route, to), false)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func wantHas(t *testing.T, route traffic.Route, split traffic.Split, preview *traffic.Preview) {
	t.Helper()
	if !route.Has(split, preview) {
		t.Errorf("%s has %s, want %s and the preview %v", route.Object, route.Shares(), split, preview)
	}
}

func wantRules(t *testing.T, before, after []any) {
	t.Helper()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("rules (-before +after):\n%s", diff)
	}
}

// testPreview gives the preview, stamps the route beside it, and takes it away in
// every way there is: by asking, by going on to a weight, and by going back. The
// rules are then what they were.
func testPreview(t *testing.T, f Fixture) {
	previews := previewed(t, f)
	live := traffic.Whole(f.Live)
	write(t, f.Router, traffic.Between(f.Idle, f.Live, 50)) // from here on every weight stands there
	write(t, f.Router, live)
	before := previews.Rules(t)
	for name, leave := range map[string]func(traffic.Route) traffic.Route{
		"asked": func(route traffic.Route) traffic.Route { return send(t, f.Router, route.Previewing(nil), live) },
		"onwards": func(route traffic.Route) traffic.Route {
			half := traffic.Between(f.Idle, f.Live, 50)
			on := send(t, f.Router, route, half)
			wantHas(t, on, half, nil)
			return send(t, f.Router, on, live)
		},
		"back": func(route traffic.Route) traffic.Route { return send(t, f.Router, route.Back(), live) },
	} {
		given := send(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), live)
		wantHas(t, given, live, previewOf(f))
		if len(previews.Rules(t)) != len(before)+1 || given.Fence != fence {
			t.Errorf("%s: %d rules, and %d before; fence %v", name, len(previews.Rules(t)), len(before), given.Fence)
		}
		again := send(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), live)
		stamped := send(t, f.Router, again, live)
		wantHas(t, stamped, live, previewOf(f))
		if !strings.Contains(stamped.Shares(), previewOf(f).String()) {
			t.Errorf("%s: %q does not tell the preview", name, stamped.Shares())
		}
		wantHas(t, leave(read(t, f.Router)), live, nil)
		wantHas(t, read(t, f.Router), live, nil)
		wantRules(t, before, previews.Rules(t))
	}
}

// testPreviewChanged gives another one in place of a preview.
func testPreviewChanged(t *testing.T, f Fixture) {
	previews := previewed(t, f)
	before, other := previews.Rules(t), previewOf(f)
	send(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live))
	other.Match.Header.Value = "other"
	wantHas(t, send(t, f.Router, read(t, f.Router).Previewing(other), traffic.Whole(f.Live)), traffic.Whole(f.Live), other)
	if rules := previews.Rules(t); len(rules) != len(before)+1 {
		t.Errorf("%d rules, and %d before", len(rules), len(before))
	}
	send(t, f.Router, read(t, f.Router).Back(), traffic.Whole(f.Live))
	wantRules(t, before, previews.Rules(t))
}

// testPreviewRaces loses a race, and comes too late.
func testPreviewRaces(t *testing.T, f Fixture) {
	previews := previewed(t, f)
	before := previews.Rules(t)
	patch := plan(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live))
	if would, err := f.Router.Write(context.Background(), patch, true); err != nil || !would.Has(traffic.Whole(f.Live), previewOf(f)) {
		t.Errorf("a dry run leaves %s, %v", would.Shares(), err)
	}
	f.Edit(t)
	if _, err := f.Router.Write(context.Background(), patch, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a lost race: err = %v, want ErrFenced", err)
	}
	f.CheckEdit(t)
	f.Stamp(t, cluster.Fence{Epoch: fence.Epoch + 1, Holder: "bob@desk/1"})
	if _, err := f.Router.Plan(read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live), fence); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a stale epoch: err = %v, want ErrFenced", err)
	}
	wantHas(t, read(t, f.Router), traffic.Whole(f.Live), nil)
	wantRules(t, before, previews.Rules(t))
}

// testPreviewEdits: what others write beside a preview stays, and a preview whose
// rules somebody took away is none, and leaves no mark.
func testPreviewEdits(t *testing.T, f Fixture) {
	previews := previewed(t, f)
	before := previews.Rules(t)
	send(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live))
	f.Edit(t)
	previews.Insert(t)
	with := previews.Rules(t)
	wantHas(t, read(t, f.Router), traffic.Whole(f.Live), previewOf(f))
	wantHas(t, send(t, f.Router, read(t, f.Router).Back(), traffic.Whole(f.Live)), traffic.Whole(f.Live), nil)
	f.CheckEdit(t)
	wantRules(t, append([]any{with[0]}, before...), previews.Rules(t))

	send(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live))
	previews.Keep(t, len(before))
	gone := read(t, f.Router)
	if gone.Has(traffic.Whole(f.Live), previewOf(f)) {
		t.Errorf("%s has %s, and nothing of it is left", gone.Object, gone.Shares())
	}
	back := send(t, f.Router, gone.Back(), traffic.Whole(f.Live))
	if object, is := back.Live.(*unstructured.Unstructured); is && object.GetAnnotations()[cluster.AnnotationPreview] != "" {
		t.Errorf("annotations %v", object.GetAnnotations())
	}
	wantRules(t, before, previews.Rules(t))
}

// testPreviewTaken: whose requests they are, nobody could tell.
func testPreviewTaken(t *testing.T, f Fixture) {
	previews := previewed(t, f)
	previews.Take(t, previewOf(f).Match)
	_, err := f.Router.Plan(read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live), fence)
	if err == nil || !strings.Contains(err.Error(), "already") || release.HintOf(err) == "" {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
	wantHas(t, read(t, f.Router), traffic.Whole(f.Live), nil)
}

// testPreviewStopped: to take a preview away is the answer to a stop.
func testPreviewStopped(t *testing.T, f Fixture) {
	previewed(t, f)
	send(t, f.Router, read(t, f.Router).Previewing(previewOf(f)), traffic.Whole(f.Live))
	if err := f.Router.Stop(context.Background(), "the new one is broken"); err != nil {
		t.Fatal(err)
	}
	if back := send(t, f.Router, read(t, f.Router).Back(), traffic.Whole(f.Live)); back.Stop != "" || back.Preview != nil {
		t.Errorf("stop %q, preview %v", back.Stop, back.Preview)
	}
}

// testPreviewRefused: what a driver says that it can't is refused.
func testPreviewRefused(t *testing.T, f Fixture) {
	able := f.Router.Capabilities().Previews
	cookie := &traffic.Preview{Color: f.Idle, Match: release.Match{Cookie: &release.NamedValue{Name: "version", Value: "next"}}}
	for _, preview := range []*traffic.Preview{previewOf(f), cookie} {
		patch, err := f.Router.Plan(read(t, f.Router).Previewing(preview), traffic.Whole(f.Live), fence)
		switch {
		case able.Can(preview.Match) && err != nil:
			t.Errorf("%s: %v", preview, err)
		case !able.Can(preview.Match) && !errors.Is(err, traffic.ErrUnsupportedPreview):
			t.Errorf("%s: planned %s, err = %v, want ErrUnsupportedPreview", preview, patch.Body, err)
		}
	}
}
