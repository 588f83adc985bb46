package traffic_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func byHeader() *traffic.Preview {
	return &traffic.Preview{Color: "green", Match: release.Match{Header: &release.NamedValue{Name: "X-Version", Value: "next"}}}
}

func byCookie() *traffic.Preview {
	return &traffic.Preview{Color: "green", Match: release.Match{Cookie: &release.NamedValue{Name: "version", Value: "1.2"}}}
}

const gatewayBoth = `[{name: svc-blue, port: 80, weight: 1}, {name: svc-green, port: 80, weight: 0, filters: [{type: RequestHeaderModifier}]}]`

// gatewayRules are rules in place of the one of a fresh HTTPRoute.
func gatewayRules(rules string) string {
	text := routertest.HTTPRoute().Fresh
	from, to := strings.Index(text, "  rules:\n"), strings.Index(text, "\nstatus:")
	return text[:from] + "  rules:\n" + rules + text[to:]
}

const (
	istioBlue  = "{destination: {host: svc-blue}, weight: 1}"
	istioGreen = "{destination: {host: svc-green}, weight: 0}"
)

// istioRoutes are routes in place of the one of a fresh VirtualService.
func istioRoutes(routes string) string {
	head, _, _ := strings.Cut(routertest.VirtualService(false).Fresh, "  http:\n")
	return head + "  http:\n" + routes
}

// TestPreviewRules: which rules a preview adds, and where.
func TestPreviewRules(t *testing.T) {
	for name, c := range map[string]struct {
		kind       routertest.Kind
		object     string
		preview    *traffic.Preview
		want, says string
	}{
		"each rule that the colours share has a copy before it, as it is but for what it must not share": {
			kind: routertest.HTTPRoute(), preview: byHeader(), object: gatewayRules(`
  - {matches: [{path: {type: PathPrefix, value: /admin}}], backendRefs: [{name: admin, port: 80}]}
  - name: cart
    matches: [{path: {type: PathPrefix, value: /cart}, headers: [{name: x-tenant, value: a}]}, {method: POST}]
    filters: [{type: URLRewrite}]
    timeouts: {request: 3s}
    sessionPersistence: {sessionName: cart}
    backendRefs: ` + gatewayBoth + `
  - backendRefs: ` + gatewayBoth),
			want: `
- {matches: [{path: {type: PathPrefix, value: /admin}}], backendRefs: [{name: admin, port: 80}]}
- matches: [{path: {type: PathPrefix, value: /cart}, headers: [{name: x-tenant, value: a}, {type: Exact, name: X-Version, value: next}]}, {method: POST, headers: [{type: Exact, name: X-Version, value: next}]}]
  filters: [{type: URLRewrite}]
  timeouts: {request: 3s}
  backendRefs: [{name: svc-green, port: 80, weight: 1, filters: [{type: RequestHeaderModifier}]}]
- name: cart
  matches: [{path: {type: PathPrefix, value: /cart}, headers: [{name: x-tenant, value: a}]}, {method: POST}]
  filters: [{type: URLRewrite}]
  timeouts: {request: 3s}
  sessionPersistence: {sessionName: cart}
  backendRefs: ` + gatewayBoth + `
- matches: [{headers: [{type: Exact, name: X-Version, value: next}]}]
  backendRefs: [{name: svc-green, port: 80, weight: 1, filters: [{type: RequestHeaderModifier}]}]
- backendRefs: ` + gatewayBoth,
		},
		"what wants another value can't want ours": {
			kind: routertest.HTTPRoute(), preview: byHeader(), object: gatewayRules(`
  - {matches: [{headers: [{name: x-version, value: old}]}], backendRefs: ` + gatewayBoth + `}
  - backendRefs: ` + gatewayBoth),
			want: `
- {matches: [{headers: [{name: x-version, value: old}]}], backendRefs: ` + gatewayBoth + `}
- {matches: [{headers: [{type: Exact, name: X-Version, value: next}]}], backendRefs: [{name: svc-green, port: 80, weight: 1, filters: [{type: RequestHeaderModifier}]}]}
- backendRefs: ` + gatewayBoth,
		},
		"a rule by an expression on the header": {
			kind: routertest.HTTPRoute(), preview: byHeader(), object: gatewayRules(`
  - {matches: [{headers: [{type: RegularExpression, name: x-version, value: n.*}]}], backendRefs: ` + gatewayBoth + `}`),
			says: "spec.rules[0]: it wants header X-Version by an expression",
		},
		"a rule of somebody else's for the same header": {
			kind: routertest.HTTPRoute(), preview: byHeader(), object: gatewayRules(`
  - backendRefs: ` + gatewayBoth + `
  - {name: testers, matches: [{path: {value: /a}, headers: [{name: x-version, value: next}]}], backendRefs: [{name: other, port: 80}]}`),
			says: `rule "testers" takes requests with header X-Version: next already`,
		},
		"what stands before a route of a mesh still comes first": {
			kind: routertest.VirtualService(false), preview: byHeader(), object: istioRoutes(`
  - {match: [{uri: {prefix: /admin}}], route: [{destination: {host: admin}}]}
  - {name: all, retries: {attempts: 2}, route: [` + istioBlue + `, ` + istioGreen + `]}`),
			want: `
- {match: [{uri: {prefix: /admin}}], route: [{destination: {host: admin}}]}
- {name: bluegreen-preview, match: [{headers: {x-version: {exact: next}}}], retries: {attempts: 2}, route: [{destination: {host: svc-green}}]}
- {name: all, retries: {attempts: 2}, route: [` + istioBlue + `, ` + istioGreen + `]}`,
		},
		"a cookie is looked for among all": {
			kind: routertest.VirtualService(false), preview: byCookie(), object: istioRoutes(`
  - {match: [{uri: {prefix: /a}, headers: {x-tenant: {exact: a}}}], route: [` + istioBlue + `, ` + istioGreen + `]}`),
			want: `
- {name: bluegreen-preview, match: [{uri: {prefix: /a}, headers: {x-tenant: {exact: a}, cookie: {regex: '^(.*?;\s*)?version=1\.2(\s*;.*)?$'}}}], route: [{destination: {host: svc-green}}]}
- {match: [{uri: {prefix: /a}, headers: {x-tenant: {exact: a}}}], route: [` + istioBlue + `, ` + istioGreen + `]}`,
		},
		"a route by cookies already": {
			kind: routertest.VirtualService(false), preview: byCookie(), object: istioRoutes(`
  - {match: [{headers: {cookie: {regex: a=b}}}], route: [` + istioBlue + `, ` + istioGreen + `]}`),
			says: "spec.http[0]: it wants header cookie already",
		},
		"a route by what is not in the header": {
			kind: routertest.VirtualService(false), preview: byHeader(), object: istioRoutes(`
  - {match: [{withoutHeaders: {x-version: {}}}], route: [` + istioBlue + `, ` + istioGreen + `]}`),
			says: "spec.http[0]: it takes requests by what is not in header x-version",
		},
		"TCP alone has no headers": {
			kind: routertest.VirtualService(false), preview: byHeader(),
			object: strings.Replace(istioRoutes("  - route: ["+istioBlue+", "+istioGreen+"]"), "  http:", "  tcp:", 1),
			says:   "no rule that the colours share could take requests with header X-Version: next",
		},
		"a colour that is none": {
			kind: routertest.HTTPRoute(), preview: &traffic.Preview{Color: "purple", Match: byHeader().Match}, object: routertest.HTTPRoute().Fresh,
			says: "the release has no colour purple",
		},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openWeighted(t, c.kind, c.object)
			patch, err := shop.router.Plan(mustRead(t, shop.router).Previewing(c.preview), traffic.Whole("blue"), cluster.Fence{Epoch: 2, Holder: "ann"})
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("err = %v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(patch.Told(), ", and "+c.preview.String()) {
				t.Errorf("told %q", patch.Told())
			}
			written, err := shop.router.Write(context.Background(), patch, false)
			if err != nil {
				t.Fatal(err)
			}
			object := written.Live.(*unstructured.Unstructured)
			got, _, _ := unstructured.NestedSlice(object.Object, c.kind.Previews.Path...)
			var want []any
			if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plainly(t, want), plainly(t, got)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if preview := traffic.PreviewOf(object); !written.Has(traffic.Whole("blue"), c.preview) || preview == nil {
				t.Errorf("it reads as %s, marked %v", written.Shares(), preview)
			}
		})
	}
}

// plainly is a value as JSON has it.
func plainly(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	var plain any
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestPreviewCookie: the expression finds the cookie among others, and takes no
// other for it. Envoy wants an expression to match the whole value.
func TestPreviewCookie(t *testing.T) {
	shop := openWeighted(t, routertest.VirtualService(false), routertest.VirtualService(false).Fresh)
	patch, err := shop.router.Plan(mustRead(t, shop.router).Previewing(byCookie()), traffic.Whole("blue"), cluster.Fence{Epoch: 2, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(strings.SplitAfter(string(patch.Body), `"regex":`)[1], "}")
	var expression string
	if err := json.Unmarshal([]byte(text), &expression); err != nil {
		t.Fatal(err)
	}
	cookie := regexp.MustCompile("^(?:" + expression + ")$")
	for header, want := range map[string]bool{
		"version=1.2": true, "a=b; version=1.2": true, "version=1.2; a=b": true, "a=b;version=1.2 ;c=d": true,
		"version=1x2": false, "version=1.23": false, "aversion=1.2": false, "a=version=1.2": false, "": false,
	} {
		if cookie.MatchString(header) != want {
			t.Errorf("%q: %v, want %v", header, !want, want)
		}
	}
}

// TestPreviewProof: what gets requests that ask for it must be able to answer.
func TestPreviewProof(t *testing.T) {
	shop := openWeighted(t, routertest.HTTPRoute(), routertest.HTTPRoute().Fresh)
	prove := func() traffic.Proof {
		proof, err := shop.router.Prove(context.Background(), traffic.Whole("blue"))
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	before := prove()
	patch, err := shop.router.Plan(mustRead(t, shop.router).Previewing(byHeader()), traffic.Whole("blue"), cluster.Fence{Epoch: 2, Holder: "ann"})
	if err == nil {
		_, err = shop.router.Write(context.Background(), patch, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	if after := prove(); !strings.Contains(after.Message, "green") || strings.Contains(before.Message, "green") {
		t.Errorf("before %q, with a preview of green %q", before.Message, after.Message)
	}
}

// TestPreviewUndo: the line for a person takes the preview away too.
func TestPreviewUndo(t *testing.T) {
	shop := openWeighted(t, routertest.HTTPRoute(), routertest.HTTPRoute().Fresh)
	patch, err := shop.router.Plan(mustRead(t, shop.router).Previewing(byHeader()), traffic.Whole("blue"), cluster.Fence{Epoch: 2, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	written, err := shop.router.Write(context.Background(), patch, false)
	if err != nil {
		t.Fatal(err)
	}
	line := shop.router.Undo(written, "blue")
	for _, part := range []string{`"path":"/spec/rules/1/backendRefs/0/weight","value":1`, `{"op":"remove","path":"/spec/rules/0"}`, `{"op":"remove","path":"/metadata/annotations/bluegreen.dev~1preview"}`} {
		if !strings.Contains(line, part) {
			t.Errorf("%s lacks %s", line, part)
		}
	}
}

// TestPreviewsAreDeclared: what a document may ask of a kind is what its driver can.
func TestPreviewsAreDeclared(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		shop := openWeighted(t, kind, kind.Fresh)
		declared := routertest.Release(kind.Declare).Spec.Traffic.Routes()[0].Previews()
		if able := shop.router.Capabilities().Previews; able != declared {
			t.Errorf("%s: the driver %+v, a document %+v", name, able, declared)
		}
	}
}
