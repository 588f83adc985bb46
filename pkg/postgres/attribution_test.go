package postgres_test

import (
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// shopColors are those of release shop, whose workloads go by versions.
func shopColors() []postgres.Identity {
	return []postgres.Identity{
		{Color: "blue", Release: "shop", Names: []string{"shop-v1", "shop-v1-7c9f-abcde"}, Addresses: []string{"10.0.0.1"}},
		{Color: "green", Release: "shop", Names: []string{"shop-v2", "front-green"}, Addresses: []string{"10.0.0.2"}},
	}
}

func TestAttribute(t *testing.T) {
	long := "shop-v1-" + strings.Repeat("x", 60)
	identities := shopColors()
	identities[0].Names = append(identities[0].Names, long)
	for _, test := range []struct {
		name    string
		session postgres.Session
		want    string
		trust   string
	}{
		{"address", postgres.Session{Address: "10.0.0.2"}, "green", "1 by client_addr"},
		{"address against name", postgres.Session{Address: "10.0.0.1", Application: "shop-green"}, "blue", "1 by client_addr"},
		{"workload", postgres.Session{Application: "shop-v1"}, "blue", "1 by application_name"},
		{"pod", postgres.Session{Application: "shop-v1-7c9f-abcde"}, "blue", "1 by application_name"},
		{"a pod's name that was cut", postgres.Session{Application: long[:63]}, "blue", "1 by application_name"},
		{"release and colour", postgres.Session{Application: "Shop_Green/worker"}, "green", "1 by application_name"},
		{"colour and release", postgres.Session{Application: "green.shop"}, "green", "1 by application_name"},
		{"workload that has the colour", postgres.Session{Application: "front-green-worker"}, "green", "1 by application_name"},
		{"workload and colour", postgres.Session{Application: "shop-v2 (green)"}, "green", "1 by application_name"},
		{"the colour alone", postgres.Session{Application: "green"}, "", ""},
		{"another service's colour", postgres.Session{Application: "cart-green"}, "", ""},
		{"another service that ends so", postgres.Session{Application: "mobile-shop-green"}, "", ""},
		{"another service that begins so", postgres.Session{Application: "shop-cart-green"}, "", ""},
		{"the release alone", postgres.Session{Application: "shop"}, "", ""},
		{"colour within a word", postgres.Session{Application: "shop-evergreen"}, "", ""},
		{"both colours", postgres.Session{Application: "shop-blue-green-tool"}, "", ""},
		{"role", postgres.Session{Application: "psql", Role: "shop_blue"}, "blue", "1 by role"},
		{"another service's role", postgres.Session{Application: "psql", Role: "app_blue"}, "", ""},
		{"nothing", postgres.Session{Application: "psql", Role: "ann"}, "", ""},
		{"the observer itself", postgres.Session{Application: "shop-blue", Own: true}, "none", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.session.BackendType = "client backend"
			got := postgres.Attribute(postgres.Snapshot{Sessions: []postgres.Session{test.session}}, identities)
			switch {
			case test.want == "none" && len(got.Unknown)+len(got.Sessions) > 0:
				t.Errorf("attributed %+v", got)
			case test.want == "" && len(got.Unknown) != 1:
				t.Errorf("attributed %+v, want unknown", got)
			case test.want != "" && test.want != "none" && (len(got.Sessions[test.want]) != 1 || got.Trust(test.want) != test.trust):
				t.Errorf("attributed %+v (%s), want %s %s", got, got.Trust(test.want), test.want, test.trust)
			}
		})
	}
}

// An address that is nobody's pod is somebody else's, unless something hides the
// addresses of the pods.
func TestAttributeByNameWhereAddressesAreHidden(t *testing.T) {
	for name, test := range map[string]struct {
		also, address string
		change        func([]postgres.Identity)
		want          int
	}{
		"pods are seen":               {also: "10.0.0.1", address: "10.9.9.9"},
		"the colour's pods are seen":  {also: "10.0.0.2", address: "10.9.9.9"},
		"no pod is seen":              {also: "10.9.9.8", address: "10.9.9.9", want: 1},
		"over a socket":               {also: "10.0.0.1", address: "", want: 1},
		"behind a pooler":             {also: "10.0.0.1", address: "10.9.9.9", change: func(i []postgres.Identity) { i[1].Masked = true }, want: 1},
		"a Job's pod alone is seen":   {also: "10.0.0.7", address: "10.9.9.9", want: 1},
		"the colour has no pods left": {also: "10.0.0.1", address: "10.0.0.2", change: func(i []postgres.Identity) { i[1].Addresses = nil }},
	} {
		identities := append(shopColors(), postgres.Identity{Color: "job/report", Addresses: []string{"10.0.0.7"}})
		if test.change != nil {
			test.change(identities)
		}
		snapshot := postgres.Snapshot{Sessions: []postgres.Session{
			{PID: 1, BackendType: "client backend", Address: test.also, Application: "psql"},
			{PID: 2, BackendType: "client backend", Address: test.address, Application: "shop-green"},
		}}
		named := 0
		for _, session := range postgres.Attribute(snapshot, identities).Sessions["green"] {
			if session.PID == 2 {
				named++
			}
		}
		if named != test.want {
			t.Errorf("%s: %d sessions called shop-green are green's, want %d", name, named, test.want)
		}
	}
}
