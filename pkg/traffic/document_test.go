package traffic

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TestEveryRouterIsInTheTable: docs/routers.md has a line for each kind, and says
// of each whether it has been seen to move live traffic.
func TestEveryRouterIsInTheTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/routers.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, " | "); len(cells) == 8 && strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "| `spec.") {
			rows[strings.Trim(cells[0], "|` ")] = cells
		}
	}
	kinds := map[string]release.Traffic{
		"service":        {Service: &release.ServiceRoute{Name: "shop"}},
		"httpRoute":      {HTTPRoute: &release.NamedRoute{Name: "shop"}},
		"grpcRoute":      {GRPCRoute: &release.NamedRoute{Name: "shop"}},
		"tcpRoute":       {TCPRoute: &release.VersionedRoute{Name: "shop"}},
		"tlsRoute":       {TLSRoute: &release.VersionedRoute{Name: "shop"}},
		"virtualService": {VirtualService: &release.VirtualServiceRoute{Name: "shop"}},
		"traefikService": {TraefikService: &release.NamedRoute{Name: "shop"}},
		"ingressRoute":   {IngressRoute: &release.NamedRoute{Name: "shop"}},
		"routeGroup":     {RouteGroup: &release.NamedRoute{Name: "shop"}},
		"skipperIngress": {SkipperIngress: &release.NamedRoute{Name: "shop"}},
		"httpProxy":      {HTTPProxy: &release.NamedRoute{Name: "shop"}},
		"albIngress":     {ALBIngress: &release.NamedRoute{Name: "shop"}},
		"nginxIngress":   {NginxIngress: &release.NginxIngressRoute{Name: "shop", Main: "shop-main"}},
		"custom":         {Custom: &release.CustomRoute{APIVersion: "v1", Resource: "toys", Name: "shop"}},
		"workers":        {Workers: &release.WorkersRoute{Order: release.NewFirst}},
	}
	if len(kinds) != len(drivers()) || len(rows) != len(kinds) {
		t.Fatalf("%d drivers, %d rows, %d kinds here", len(drivers()), len(rows), len(kinds))
	}
	for field, traffic := range kinds {
		rel := &release.Release{Spec: release.Spec{Traffic: traffic, Colors: map[string]release.Color{
			"blue":  {Service: "svc-blue", Workloads: []release.Workload{{Kind: "deployment", Name: "shop-blue"}}, Selector: map[string]string{"version": "blue"}},
			"green": {Service: "svc-green", Workloads: []release.Workload{{Kind: "deployment", Name: "shop-green"}}, Selector: map[string]string{"version": "green"}},
		}}}
		descriptions, err := Describe(rel)
		objects := 1
		if traffic.Workers != nil {
			objects = 2
		}
		if err != nil || len(descriptions) != objects {
			t.Errorf("%s: %d descriptions, %v", field, len(descriptions), err)
			continue
		}
		description := descriptions[0]
		previews, said := traffic.Routes()[0].Previews(), rows[field][3]
		if strings.Contains(said, "header") != previews.Header || strings.Contains(said, "cookie") != previews.Cookie {
			t.Errorf("%s: the cell for previews says %q, and it is %+v", field, said, previews)
		}
		for cell, want := range map[int]bool{2: !reflect.DeepEqual(traffic, kinds["service"]), 6: !description.Unproven, 7: description.Split != nil} {
			said := strings.HasPrefix(strings.TrimSpace(rows[field][cell]), "yes")
			if said != want {
				t.Errorf("%s: cell %d says %q, and it is %v", field, cell, rows[field][cell], want)
			}
		}
	}
}
