package traffic

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A preview is made of rules: before each rule that the colours share stands a
// copy of it that wants something more of a request and leads to one colour
// alone. So it takes what its original would have taken, with the same filters
// and timeouts, and what stands before the original still comes before both. How
// the rules of a kind look is the kind's own (previewKind); all else is here, and
// pure.

// previewKind is how the rules of a kind are narrowed.
type previewKind struct {
	// by is what it can match.
	by release.Previews
	// rules is where the list of rules stands; matches and backends are the fields
	// of a rule.
	rules             []string
	matches, backends string
	// narrow makes an entry of matches want what a preview does as well: nil where
	// no request is of both, an error where that can't be written. A rule without
	// matches has an empty one.
	narrow func(entry map[string]any, match release.Match) (map[string]any, error)
	// wants reports whether an entry of matches wants what a preview does.
	wants func(entry map[string]any, match release.Match) bool
	// finish makes a copy of a rule one of its own.
	finish func(rule map[string]any)
	// lone is the weight of a backend that stands alone; 0 leaves it out.
	lone int64
}

// previewRules are the rules of an object that are those of its preview, by their
// positions: they want what it does and lead to its colour alone.
func (k previewKind) previewRules(object map[string]any, pools []pool, colors colorServices, preview Preview) ([]int, error) {
	rules, err := listAt(object, k.rules...)
	if err != nil {
		return nil, err
	}
	var found []int
	for i, rule := range rules {
		matches, err := listAt(rule, k.matches)
		if err != nil {
			return nil, err
		}
		alone := len(pools[i].backends) == 1 && colors.colorOf(pools[i].backends[0]) == preview.Color
		others := slices.ContainsFunc(matches, func(entry map[string]any) bool { return !k.wants(entry, preview.Match) })
		if alone && len(matches) > 0 && !others {
			found = append(found, i)
		}
	}
	return found, nil
}

// insertion is a rule, and the position of the one that it is put before.
type insertion struct {
	before int
	rule   map[string]any
}

// insertions are the rules that make a preview, in the order of the rules that
// they are copies of. A rule of somebody else's that wants the same is an error:
// whose requests those are, nobody could tell.
func (k previewKind) insertions(object map[string]any, pools []pool, colors colorServices, preview Preview) ([]insertion, error) {
	rules, err := listAt(object, k.rules...)
	if err != nil {
		return nil, err
	}
	var found []insertion
	for i, rule := range rules {
		matches, err := listAt(rule, k.matches)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pools[i].name, err)
		}
		if slices.ContainsFunc(matches, func(entry map[string]any) bool { return k.wants(entry, preview.Match) }) {
			return nil, release.WithHint(fmt.Errorf("%s takes requests with %s already", pools[i].name, preview.Match),
				"write another name or value in spec.traffic.steps[0].match, or take that rule out")
		}
		entries, err := colors.entries(pools[i])
		if err != nil {
			return nil, err
		}
		if len(entries) < len(colors) {
			continue
		}
		copied, err := k.copied(rule, matches, entries[preview.Color], preview.Match)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pools[i].name, err)
		}
		if copied != nil {
			found = append(found, insertion{before: i, rule: copied})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no rule that the colours share could take requests with %s", preview.Match)
	}
	return found, nil
}

// copied is a rule as it is before its original, nil where no request would come
// to it.
func (k previewKind) copied(rule map[string]any, matches []map[string]any, at int, match release.Match) (map[string]any, error) {
	if len(matches) == 0 {
		matches = []map[string]any{{}}
	}
	var narrowed []any
	for _, entry := range matches {
		one, err := k.narrow(runtime.DeepCopyJSON(entry), match)
		if err != nil {
			return nil, err
		}
		if one != nil {
			narrowed = append(narrowed, one)
		}
	}
	if len(narrowed) == 0 {
		return nil, nil
	}
	copied := runtime.DeepCopyJSON(rule)
	backends, _, err := unstructured.NestedSlice(rule, k.backends)
	if err != nil {
		return nil, err
	}
	lone, _ := backends[at].(map[string]any)
	if lone["weight"] = k.lone; k.lone == 0 {
		delete(lone, "weight")
	}
	copied[k.matches], copied[k.backends] = narrowed, []any{lone}
	k.finish(copied)
	return copied, nil
}

// preview is the preview that an object has: the one that it says, as long as a
// rule of it is there.
func (r *weightedRouter) preview(object *unstructured.Unstructured) (preview *Preview, rules []int) {
	said := PreviewOf(object)
	if said == nil || r.kind.preview == nil {
		return nil, nil
	}
	pools, err := r.lists(object.Object)
	if err != nil {
		return nil, nil
	}
	rules, err = r.kind.preview.previewRules(object.Object, pools, r.colors, *said)
	if err != nil || len(rules) == 0 {
		return nil, nil
	}
	return said, rules
}

// previewChanges are the operations that leave a preview, or none, in an object.
// They come after those of the weights, which go by the positions that were read.
func (r *weightedRouter) previewChanges(object *unstructured.Unstructured, wanted *Preview) ([]cluster.Operation, error) {
	has, rules := r.preview(object)
	if has != nil && samePreview(has, wanted) {
		return nil, nil
	}
	if strayed := r.strayed(object); strayed != "" && wanted != nil {
		return nil, errors.New(whatStrayed(strayed))
	}
	operations := r.withoutPreview(object, rules)
	if wanted == nil {
		return operations, nil
	}
	if !r.Capabilities().Previews.Can(wanted.Match) {
		return nil, unsupportedPreview(wanted.Match)
	}
	if _, known := r.colors[wanted.Color]; !known {
		return nil, fmt.Errorf("the release has no colour %s", wanted.Color)
	}
	added, err := r.withPreview(object, rules, *wanted)
	return append(operations, added...), err
}

// withoutPreview removes rules, from the last to the first, so that those before
// keep their positions, and the mark. That stays where a rule can't be told to be
// the preview's any more: without it nobody would know.
func (r *weightedRouter) withoutPreview(object *unstructured.Unstructured, rules []int) []cluster.Operation {
	var operations []cluster.Operation
	for _, at := range slices.Backward(rules) {
		operations = append(operations, cluster.Operation{Op: "remove", Path: r.kind.preview.pointer(at)})
	}
	if r.strayed(object) != "" {
		return operations
	}
	return append(operations, withoutAnnotation(object, cluster.AnnotationPreview)...)
}

// previewMark is what the annotation of a preview holds.
type previewMark struct {
	Preview
	// Rules is how many rules were made for it.
	Rules int `json:"rules,omitempty"`
}

// strayed names a rule that was made for the preview that an object says it has, and
// that somebody has changed since: fewer are found than were made, and this one leads
// to the preview's colour and to no other. It is "" where there is none.
func (r *weightedRouter) strayed(object *unstructured.Unstructured) string {
	said := PreviewOf(object)
	if said == nil || r.kind.preview == nil {
		return ""
	}
	mark, pools := previewMark{}, []pool(nil)
	if json.Unmarshal([]byte(object.GetAnnotations()[cluster.AnnotationPreview]), &mark) == nil {
		pools, _ = r.lists(object.Object)
	}
	_, rules := r.preview(object)
	if len(rules) >= mark.Rules {
		return ""
	}
	for i, pool := range pools {
		if !slices.Contains(rules, i) && r.colors.leadsTo(pool, said.Color) {
			return pool.name
		}
	}
	return ""
}

// leadsTo reports whether a list has a backend of one colour, and of no other.
func (c colorServices) leadsTo(list pool, color string) bool {
	found := false
	for _, one := range list.backends {
		switch c.colorOf(one) {
		case color:
			found = true
		case "":
		default:
			return false
		}
	}
	return found
}

// withPreview adds the rules of a preview to what is left of an object without
// some, from the last to the first likewise, and the mark.
func (r *weightedRouter) withPreview(object *unstructured.Unstructured, without []int, preview Preview) ([]cluster.Operation, error) {
	left := object.DeepCopy()
	rules, _, err := unstructured.NestedSlice(left.Object, r.kind.preview.rules...)
	if err != nil {
		return nil, err
	}
	for _, at := range slices.Backward(without) {
		rules = slices.Delete(rules, at, at+1)
	}
	if err := unstructured.SetNestedSlice(left.Object, rules, r.kind.preview.rules...); err != nil {
		return nil, err
	}
	pools, err := r.pools(left)
	if err != nil {
		return nil, err
	}
	insertions, err := r.kind.preview.insertions(left.Object, pools, r.colors, preview)
	if err != nil {
		return nil, err
	}
	mark, err := json.Marshal(previewMark{Preview: preview, Rules: len(insertions)})
	if err != nil {
		return nil, err
	}
	var operations []cluster.Operation
	for _, one := range slices.Backward(insertions) {
		operations = append(operations, cluster.Operation{Op: "add", Path: r.kind.preview.pointer(one.before), Value: one.rule})
	}
	return append(operations, cluster.Annotate(cluster.AnnotationPreview, string(mark))), nil
}

// whatStrayed says what is the matter with a rule, and how a person puts it right.
func whatStrayed(rule string) string {
	return fmt.Sprintf("somebody has changed %s, which was made for a preview: %s", rule, straysNoMore("that rule"))
}

// straysNoMore is how a person puts it right.
func straysNoMore(rule string) string {
	return fmt.Sprintf("take %s out if nobody needs it, and then the annotation %s", rule, cluster.AnnotationPreview)
}

// pointer is the JSON pointer to a rule.
func (k previewKind) pointer(at int) string {
	path := ""
	for _, field := range k.rules {
		path += "/" + field
	}
	return fmt.Sprintf("%s/%d", path, at)
}
