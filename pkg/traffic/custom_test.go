package traffic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestCustomRouteNamesThePlace: a pointer that leads nowhere, or to no weight.
func TestCustomRouteNamesThePlace(t *testing.T) {
	for change, says := range map[string]string{
		"a place that is not there|, share: 0}|}":       "weight of green at /spec/lanes/1/share: there is no spec/lanes/1/share",
		"a list that is too short|, {to: b, share: 0}|": "there is no spec/lanes/1: the list has 1 entries",
		"no number|blue: 1|blue: most":                  `weight of blue at /spec/shares~1all/blue: "most" is not a whole number`,
		"below nothing|blue: 1|blue: -1":                "-1 is below 0",
		"an object|blue: 1|blue: {a: b}":                "is not a number",
	} {
		name, rest, _ := strings.Cut(change, "|")
		old, with, _ := strings.Cut(rest, "|")
		_, err := openWeighted(t, routertest.Custom(false), strings.Replace(routertest.Custom(false).Fresh, old, with, 1)).router.Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: err = %v, want %q", name, err, says)
		}
	}
}

// TestCustomFieldsAreInOneOrder: what is made of them is the same each time.
func TestCustomFieldsAreInOneOrder(t *testing.T) {
	var want []traffic.Field
	for _, place := range []string{"spec shares/all blue", "spec lanes 0 share", "spec shares/all green", "spec lanes 1 share"} {
		want = append(want, traffic.Field{Path: strings.Fields(place)})
	}
	for range 20 {
		described, err := traffic.Describe(routertest.Release(routertest.Custom(false).Declare))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, described[0].Fields); diff != "" {
			t.Fatal(diff)
		}
	}
}
