package traffic

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// previewName is what the routes of a preview are called in a VirtualService, for
// people and for what a proxy writes down.
const previewName = "bluegreen-preview"

// istioPreview are the HTTP routes of a VirtualService, of which the first that
// matches takes a request. An entry of match wants all of its headers, by their
// names in lower case. A cookie is looked for in the header of them all.
func istioPreview() *previewKind {
	return &previewKind{
		by: release.Previews{Header: true, Cookie: true}, rules: []string{"spec", "http"}, matches: "match", backends: "route",
		narrow: istioNarrow,
		wants: func(entry map[string]any, match release.Match) bool {
			name, wanted := istioHeader(match)
			found, is := istioWanted(entry, name)
			kind, value := only(wanted)
			return is && found[kind] == value
		},
		finish: func(rule map[string]any) { rule["name"] = previewName },
	}
}

// istioNarrow adds the header to an entry.
func istioNarrow(entry map[string]any, match release.Match) (map[string]any, error) {
	name, wanted := istioHeader(match)
	if found, is := istioWanted(entry, name); is {
		if _, exact := found["exact"]; exact && match.Header != nil {
			return nil, nil // another value, which no request has beside ours
		}
		return nil, fmt.Errorf("it wants header %s already, and an entry can want a header once", name)
	}
	if without, _, _ := unstructured.NestedMap(entry, "withoutHeaders"); without[name] != nil {
		return nil, fmt.Errorf("it takes requests by what is not in header %s", name)
	}
	headers, _, err := unstructured.NestedMap(entry, "headers")
	if err != nil {
		return nil, err
	}
	if headers == nil {
		headers = map[string]any{}
	}
	headers[name] = wanted
	entry["headers"] = headers
	return entry, nil
}

// istioHeader is the header that a match looks at, and what it must be.
func istioHeader(match release.Match) (name string, wanted map[string]any) {
	if match.Cookie != nil {
		cookie := regexp.QuoteMeta(match.Cookie.Name + "=" + match.Cookie.Value)
		return "cookie", map[string]any{"regex": `^(.*?;\s*)?` + cookie + `(\s*;.*)?$`}
	}
	return strings.ToLower(match.Header.Name), map[string]any{"exact": match.Header.Value}
}

// istioWanted is what an entry wants of a header.
func istioWanted(entry map[string]any, name string) (map[string]any, bool) {
	headers, _, _ := unstructured.NestedMap(entry, "headers")
	for header, wanted := range headers {
		if found, is := wanted.(map[string]any); is && strings.EqualFold(header, name) {
			return found, true
		}
	}
	return nil, false
}

// only is the one entry of a map.
func only(of map[string]any) (key string, value any) {
	for key, value = range of {
		break
	}
	return key, value
}
