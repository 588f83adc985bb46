package plugin

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/detect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// detected is a report with everything in it that the text has a place for.
func detected() *detect.Report {
	return &detect.Report{
		Subject: "shop.example.com", Verdict: detect.Served, Answer: "spec.traffic.virtualService serves it, by virtualservice/shop in namespace store",
		Release: "shop", Origin: "bluegreen.yaml",
		Findings: []detect.Finding{
			{
				Object: "virtualservice/web", Namespace: "edge", Why: "it leads on to virtualservice/shop and has no weights of its own", Hint: "see virtualservice/shop",
				Ways: []detect.Way{{Place: "spec.http[0]", Hosts: []string{"shop.example.com", "*.shop.example.com"}, Match: "every path",
					Backends: []detect.Backend{{To: "virtualservice/shop", Namespace: "store", Weight: 1}}}},
			},
			{
				Object: "virtualservice/shop", Namespace: "store", By: []string{"virtualservice/web"}, Declared: true,
				Ways: []detect.Way{{Place: "spec.http[0]", Match: "paths that begin with /cart", Backends: []detect.Backend{
					{To: "service/shop", Subset: "v1", Weight: 100}, {To: "service/shop", Subset: "v2"}}}},
				Driver: &detect.Driver{Field: "virtualService", Traffic: "traffic:\n  virtualService: {name: shop}\n", Unproven: true},
				Colors: &detect.Colors{Standing: detect.StandBoth, Split: "blue=100", Message: "both stand in it: blue=100"},
				Notes:  []string{"it names\x1b[31m no host"},
			},
		},
		Shadows: []detect.Shadow{{
			Object: "virtualservice/web", Namespace: "edge", Place: "spec.http[0]", By: "virtualservice/other", ByNamespace: "other", ByPlace: "spec.http[1]",
			Hosts: "shop.example.com", Taken: "/pay and below", To: []string{"service/pay"}, Why: "the more exact host wins", Certain: true,
		}},
		Precedence: map[string]string{"virtualservice": "the more exact host wins"},
		Unlisted:   []detect.Unlisted{{Resource: "ingresses.networking.k8s.io", Right: "list ingresses.networking.k8s.io in the whole cluster", Why: "can't be listed"}},
		Absent:     []string{"httproute"},
	}
}

func TestDetectionText(t *testing.T) {
	call, out, errOut, _ := bench(t, unicode())
	call.printDetection(&output{format: formatWide}, detected())
	want := `√ shop.example.com: spec.traffic.virtualService serves it, by virtualservice/shop in namespace store
colours    shop, by bluegreen.yaml

virtualservice/web in namespace edge
  takes    shop.example.com *.shop.example.com, every path (spec.http[0])
           -> virtualservice/shop in namespace store, weight 1
  driver   none: it leads on to virtualservice/shop and has no weights of its own
  hint     see virtualservice/shop

virtualservice/shop in namespace store
  by       virtualservice/web
  takes    every host, paths that begin with /cart (spec.http[0])
           -> service/shop subset v1, weight 100
           -> service/shop subset v2, weight 0
  driver   spec.traffic.virtualService (not seen to move live traffic yet: a shift asks for --accept-unproven-router; the Release declares it)
             traffic:
               virtualService: {name: shop}
  colours  √ both stand in it: blue=100
  note     it names[31m no host

taken by another object
‼ virtualservice/web in namespace edge, spec.http[0]: requests for shop.example.com, /pay and below, go to service/pay, by virtualservice/other in namespace other, spec.http[1]
  the more exact host wins

precedence
virtualservice   the more exact host wins

not looked at
‼ ingresses.networking.k8s.io: can't be listed (missing right: list ingresses.networking.k8s.io in the whole cluster)

not served httproute
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("next: kubectl bluegreen check\n", errOut.String()); diff != "" {
		t.Error(diff)
	}
}

// TestNextAfterDetection: a check is for what the Release declares.
func TestNextAfterDetection(t *testing.T) {
	undeclared, discovered, impossible := detected(), detected(), detected()
	undeclared.Findings[1].Declared = false
	discovered.Findings[1].Declared, discovered.Discovered = false, true
	impossible.Verdict = detect.Impossible
	for _, test := range []struct {
		report *detect.Report
		want   string
	}{{detected(), "kubectl bluegreen check"}, {undeclared, ""}, {discovered, "kubectl bluegreen check"}, {impossible, ""}} {
		if got := nextAfterDetection(test.report); got != test.want {
			t.Errorf("%s: %q, want %q", test.report.Verdict, got, test.want)
		}
	}
}

func TestDetectionSubject(t *testing.T) {
	tests := map[string]struct {
		want detect.Subject
		hint string
	}{
		"svc/shop":              {want: detect.Subject{Service: "shop"}},
		"service/shop":          {want: detect.Subject{Service: "shop"}},
		"shop.example.com":      {want: detect.Subject{Host: "shop.example.com"}},
		"*.example.com":         {want: detect.Subject{Host: "*.example.com"}},
		"localhost":             {want: detect.Subject{Host: "localhost"}},
		"httproute/shop":        {hint: "kubectl get services lists the names"},
		"svc/":                  {hint: "kubectl get services lists the names"},
		"http://a.example.com/": {hint: "write the host alone: a.example.com"},
		"a.example.com/cart":    {hint: "write the host alone: a.example.com"},
	}
	for argument, test := range tests {
		got, err := detectionSubject(argument)
		if (err == nil) != (test.hint == "") || release.HintOf(err) != test.hint {
			t.Errorf("%s: %v, hint %q", argument, err, release.HintOf(err))
		}
		if err == nil && got != test.want {
			t.Errorf("%s: %+v", argument, got)
		}
	}
}
