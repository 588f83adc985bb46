package workflows

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A push is deployed when it changes what the release is made of: its paths, as they
// are in the repository, each as a filter that means nothing else.
func TestPathsOfARelease(t *testing.T) {
	for name, test := range map[string]struct {
		file        string
		blue, green []string
		migrations  []string
		want        []string
	}{
		"directories":       {"bluegreen.yaml", []string{"deploy/blue/"}, []string{"deploy/green/"}, nil, []string{"bluegreen.yaml", "deploy/blue/**", "deploy/green/**"}},
		"in a folder":       {"shop/bluegreen.yaml", []string{"blue/"}, []string{"../green/"}, nil, []string{"shop/bluegreen.yaml", "shop/blue/**", "green/**"}},
		"files":             {"bluegreen.yaml", []string{"./blue.yaml"}, []string{"green.json"}, nil, []string{"bluegreen.yaml", "blue.yaml", "green.json"}},
		"either":            {"bluegreen.yaml", []string{"blue"}, []string{"v1.2"}, nil, []string{"bluegreen.yaml", "blue", "blue/**", "v1.2", "v1.2/**"}},
		"the same for both": {"bluegreen.yaml", []string{"both/"}, []string{"both/"}, nil, []string{"bluegreen.yaml", "both/**"}},
		"migrations":        {"bluegreen.yaml", []string{"blue/"}, []string{"green/"}, []string{"db/0042.sql", "db/migrations/"}, []string{"bluegreen.yaml", "blue/**", "green/**", "db/0042.sql", "db/migrations/**"}},
		"all":               {"bluegreen.yaml", []string{"."}, []string{"green/"}, nil, []string{"bluegreen.yaml", "**"}},
		"out of repository": {"bluegreen.yaml", []string{"../blue/", "/srv/blue", "blue/"}, []string{"green/"}, nil, []string{"bluegreen.yaml", "blue/**", "green/**"}},
		"what filters mean": {"a+b/[x]/bluegreen.yaml", []string{"*/"}, []string{"!?/"}, nil, []string{`a\+b/\[x\]/bluegreen.yaml`, `a\+b/\[x\]/\*/**`, `a\+b/\[x\]/\!\?/**`}},
		"one is elsewhere":  {"bluegreen.yaml", []string{"blue/"}, []string{"../green/", "/srv/green"}, nil, nil},
		"a colour has none": {"bluegreen.yaml", []string{"blue/"}, nil, []string{"db/"}, nil},
		"nobody has any":    {"bluegreen.yaml", nil, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rel := &release.Release{Spec: release.Spec{Colors: map[string]release.Color{"blue": {Manifests: test.blue}, "green": {Manifests: test.green}}}}
			rel.Spec.Databases = []release.Database{{Name: "none"}, {Name: "main", Migrations: &release.Migrations{Paths: test.migrations}}}
			if diff := cmp.Diff(test.want, paths(rel, Options{File: test.file})); diff != "" {
				t.Errorf("filters (-want +got):\n%s", diff)
			}
		})
	}
}

// A push may change what a link leads to, or where it leads, and not the path that the
// Release names. What links lead to is not always known, and every push counts then.
func TestPathsThatLinksLeadOver(t *testing.T) {
	rel := &release.Release{Spec: release.Spec{Colors: map[string]release.Color{"blue": {Manifests: []string{"blue/"}}, "green": {Manifests: []string{"green.yaml"}}}}}
	options := Options{File: "bluegreen.yaml", Linked: []string{"blue", "v[1]/", "green.yaml", "real/green.yaml"}}
	want := []string{"bluegreen.yaml", "blue/**", "green.yaml", "blue", `v\[1\]/**`, "real/green.yaml"}
	if diff := cmp.Diff(want, paths(rel, options)); diff != "" {
		t.Errorf("filters (-want +got):\n%s", diff)
	}
	options.Unfiltered = true
	if got := paths(rel, options); got != nil {
		t.Errorf("filters of what isn't known: %q", got)
	}
}
