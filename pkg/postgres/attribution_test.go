package postgres_test

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func TestAttribute(t *testing.T) {
	identities := []postgres.Identity{
		{Color: "blue", Names: []string{"shop-v1", "shop-v1-7c9f-abcde"}, Addresses: []string{"10.0.0.1"}},
		{Color: "green", Names: []string{"shop-v2"}, Addresses: []string{"10.0.0.2"}},
	}
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
		{"colour as a word", postgres.Session{Application: "Shop_Green/worker"}, "green", "1 by application_name"},
		{"colour within a word", postgres.Session{Application: "evergreen"}, "", ""},
		{"both colours", postgres.Session{Application: "blue-green-tool"}, "", ""},
		{"role", postgres.Session{Application: "psql", Role: "app_blue"}, "blue", "1 by role"},
		{"nothing", postgres.Session{Application: "psql", Role: "ann"}, "", ""},
		{"the observer itself", postgres.Session{Application: "blue", Own: true}, "none", ""},
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
