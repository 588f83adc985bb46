package traffic

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// gatewayPreview are the rules of an HTTPRoute or a GRPCRoute, whose entries of
// matches want all of their headers, each by its name. Of two rules for one path
// the API promises the requests to the one that wants more headers; should an
// implementation go by the order instead, the preview stands first too.
func gatewayPreview() *previewKind {
	return &previewKind{
		by: release.Previews{Header: true}, rules: []string{"spec", "rules"}, matches: "matches", backends: "backendRefs", lone: 1,
		narrow: gatewayNarrow,
		wants: func(entry map[string]any, match release.Match) bool {
			header, found := gatewayHeader(entry, match)
			return found && gatewayExact(header) && header["value"] == match.Header.Value
		},
		finish: func(rule map[string]any) {
			// Names are unique in a route, and a cookie would tie who tests to a pod
			// beyond the preview.
			delete(rule, "name")
			delete(rule, "sessionPersistence")
		},
	}
}

// gatewayNarrow adds the header to an entry.
func gatewayNarrow(entry map[string]any, match release.Match) (map[string]any, error) {
	header, found := gatewayHeader(entry, match)
	switch {
	case found && !gatewayExact(header):
		return nil, fmt.Errorf("it wants header %s by an expression, and an entry can want a header once", match.Header.Name)
	case found:
		return nil, nil // another value, which no request has beside ours
	}
	headers, _, err := unstructured.NestedSlice(entry, "headers")
	if err != nil {
		return nil, err
	}
	entry["headers"] = append(headers, map[string]any{"type": "Exact", "name": match.Header.Name, "value": match.Header.Value})
	return entry, nil
}

// gatewayHeader is what an entry wants of the header of a match.
func gatewayHeader(entry map[string]any, match release.Match) (map[string]any, bool) {
	headers, err := listAt(entry, "headers")
	if err != nil || match.Header == nil {
		return nil, false
	}
	at := slices.IndexFunc(headers, func(header map[string]any) bool {
		name, _, _ := unstructured.NestedString(header, "name")
		return strings.EqualFold(name, match.Header.Name)
	})
	if at < 0 {
		return nil, false
	}
	return headers[at], true
}

// gatewayExact reports whether a header must have its value; without a type it
// must, says the API.
func gatewayExact(header map[string]any) bool {
	kind, _, _ := unstructured.NestedString(header, "type")
	return kind == "" || kind == "Exact"
}
