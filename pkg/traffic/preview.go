package traffic

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ErrUnsupportedPreview is returned by Plan for a preview that the driver can't
// give a route.
var ErrUnsupportedPreview = errors.New("preview is not supported by this route")

// Preview leads requests that carry something to a colour which gets no others
// yet, so that it is seen by the production route before anybody else reaches
// it. It changes no Split: who does not ask for it stays.
type Preview struct {
	Color string `json:"color"`
	// Match is what a request must carry.
	Match release.Match `json:"match"`
}

// String is a preview for people: green to requests with header X-Version: next.
func (p Preview) String() string {
	return fmt.Sprintf("%s to requests with %s", p.Color, p.Match)
}

// StepOf is what a step of a shift to target asks of a route: the split with the other
// colour, and the preview of the target, nil for none.
func StepOf(step release.Step, target, other string) (Split, *Preview) {
	split := Between(target, other, step.Weight)
	if step.Match == nil {
		return split, nil
	}
	return split, &Preview{Color: target, Match: *step.Match}
}

// samePreview reports whether both lead the same requests to the same colour, or
// there is neither.
func samePreview(one, other *Preview) bool {
	if one == nil || other == nil {
		return one == other
	}
	return one.Color == other.Color && one.Match.Equal(other.Match)
}

// PreviewOf is the preview that an object says it has, nil where it says none, or
// nothing that can be read.
func PreviewOf(object metav1.Object) *Preview {
	text, found := object.GetAnnotations()[cluster.AnnotationPreview]
	preview := &Preview{}
	if !found || json.Unmarshal([]byte(text), preview) != nil || preview.Color == "" {
		return nil
	}
	return preview
}

// Previewing is the route for whoever plans to give it a preview, or, with nil, to
// take the one that it has away. Otherwise a preview stays as long as the split
// does, and goes with the first change of that and on the way back.
func (r Route) Previewing(preview *Preview) Route {
	r.previewing, r.preview = true, preview
	return r
}

// Leaves is the preview that the route has once it is moved to a split as it is
// planned now.
func (r Route) Leaves(to Split) *Preview {
	switch {
	case r.previewing:
		return r.preview
	case r.keepsPreview(to):
		return r.Preview
	}
	return nil
}

// keepsPreview reports whether a preview that the route has is left alone.
func (r Route) keepsPreview(to Split) bool {
	return !r.previewing && !r.back && r.Split.Equal(to)
}

// Has reports whether the route, or each one of a set, has a split and a preview,
// or none.
func (r Route) Has(split Split, preview *Preview) bool {
	for _, one := range r.Each() {
		if !one.Split.Equal(split) || !samePreview(one.Preview, preview) {
			return false
		}
	}
	return true
}

// Shares is a split, and the preview beside it, for people.
func Shares(split Split, preview *Preview) string {
	if preview == nil {
		return split.String()
	}
	return fmt.Sprintf("%s, and %s", cmp.Or(split.String(), "no split that can be read"), preview)
}

// Told is the split that the patch leaves, and the preview beside it, for people.
func (p Patch) Told() string { return Shares(p.To, p.Preview) }

// Found is the split that the patch finds, likewise.
func (p Patch) Found() string { return Shares(p.From, p.before) }

// withoutPreviews refuses what a driver that knows no previews is asked for.
func withoutPreviews(route Route, to Split) error {
	if preview := route.Leaves(to); preview != nil {
		return unsupportedPreview(preview.Match)
	}
	return nil
}

func unsupportedPreview(match release.Match) error {
	return release.WithHint(fmt.Errorf("it can't lead requests by %s: %w", match, ErrUnsupportedPreview),
		"leave out the step with match, or use a route that can: see docs/routers.md")
}
