package traffic_test

import (
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func TestTraefikServiceAffinityIsSeen(t *testing.T) {
	sticky := strings.Replace(routertest.TraefikService().Fresh, "  weighted:\n", "  weighted:\n    sticky: {cookie: {name: lane}}\n", 1)
	if got := mustRead(t, openWeighted(t, routertest.TraefikService(), sticky).router).Affinity; got != "cookie (spec.weighted.sticky)" {
		t.Errorf("affinity %q", got)
	}
	if got := mustRead(t, openWeighted(t, routertest.TraefikService(), routertest.TraefikService().Fresh).router).Affinity; got != "" {
		t.Errorf("affinity %q of one without", got)
	}
}

// TestIngressRouteMayLeadToAColorByHeader: whoever asks for a colour gets it.
func TestIngressRouteMayLeadToAColorByHeader(t *testing.T) {
	for match, fine := range map[string]bool{
		"Host(`shop.example`) && Header(`X-Color`, `green`)":                               true,
		"Host(`shop.example`) && PathPrefix(`/new`)":                                       false,
		"PathPrefix(`/new`) || Header(`X-Color`, `green`)":                                 false,
		"Header(`X-Color`, `green`) || Path(`/new`)":                                       false,
		"Host(`shop.example`) && !Header(`X-Color`, `blue`)":                               false,
		"!(Path(`/old`) || Header(`X-Color`, `blue`))":                                     false,
		"!(Path(`/old`) && Header(`X-Color`, `blue`))":                                     false,
		"!Path(`/old`) && (Query(`color`, `green`))":                                       true,
		"Host(`shop.example`) && Header(`X-Color`":                                         false,
		"Host(`shop.example`) && Headers(`X-Color`, `green`)":                              true,
		"(Host(`shop.example`) || Host(`www.shop.example`)) && Header(`X-Color`, `green`)": true,
		"Host(`shop.example`) && (Header(`X-Color`, `green`) || Query(`color`, `green`))":  true,
		"Host(`shop.example`) && (Header(`X-Color`, `green`) || !Query(`color`, `blue`))":  false,
		"Host(`shop.example`) && !(Header(`X-Color`, `blue`) || !Query(`color`, `green`))": true,
	} {
		text := routertest.IngressRoute().Fresh + "  - match: '" + match + "'\n    kind: Rule\n    services: [{name: svc-green, port: 80}]\n"
		if _, err := openWeighted(t, routertest.IngressRoute(), text).router.Read(t.Context()); (err == nil) != fine {
			t.Errorf("%s: err = %v", match, err)
		}
	}
}

// A host by which one looks at one colour stays where it is, which an object of its own
// makes plain: the hint names that way too.
func TestTheHintForAColoursOwnHost(t *testing.T) {
	text := routertest.IngressRoute().Fresh + "  - match: Host(`green.shop.example`)\n    kind: Rule\n    services: [{name: svc-green, port: 80}]\n"
	_, err := openWeighted(t, routertest.IngressRoute(), text).router.Read(t.Context())
	if hint := release.HintOf(err); !strings.HasPrefix(hint, "add service svc-blue to spec.routes[1], with weight 0; or, where that is a host of the other colour's own, put that host into an object of its own") {
		t.Errorf("%v, hint %q", err, hint)
	}
}
