package crash

import (
	"slices"
	"strings"
	"testing"
)

// healthy is a short run in order.
func healthy() []Point {
	return points("lease: take", "archive: update", "begin", "save: switch",
		"intent: stamp service/svc", "write: stamp patch services/svc", "result: stamp service/svc",
		"intent: stamp deployment/shop", "write: stamp patch deployments/shop", "result: stamp deployment/shop",
		"intent: switch service/svc", "write: switch patch services/svc", "result: switch service/svc",
		"transition: switch → prove", "finish", "archive: create", "lease: give up", "archive: delete")
}

// Of another kind of route the same is asked.
func TestOrderlyOfAnyRoute(t *testing.T) {
	var points []Point
	for _, point := range healthy() {
		point.What = strings.NewReplacer("service/svc", "httproute/web", "services/svc", "httproutes/web").Replace(point.What)
		points = append(points, point)
	}
	if err := Orderly(points, []Point{{Kind: Transition, What: "switch → prove"}}); err != nil {
		t.Error(err)
	}
	if err := Orderly(slices.Delete(points, 4, 7), []Point{{Kind: Transition, What: "switch → prove"}}); err == nil || !strings.Contains(err.Error(), "comes before the route has a stamp") {
		t.Errorf("a workload before the route: %v", err)
	}
}

func TestOrderly(t *testing.T) {
	transitions := points("transition: switch → prove")
	if err := Orderly(healthy(), transitions); err != nil {
		t.Error(err)
	}
	// swapped exchanges the points at two places.
	swapped := func(a, b int) []Point {
		found := healthy()
		found[a], found[b] = found[b], found[a]
		return found
	}
	tests := map[string]struct {
		points []Point
		says   string
	}{
		"the record before the lease":       {swapped(0, 2), "a run begins with"},
		"the lease before the outcome":      {swapped(14, 16), "a run begins with"},
		"a write before its intent":         {swapped(4, 5), `write stamp patch services/svc comes while what is open is ""`},
		"a result before its write":         {swapped(5, 6), `write stamp patch services/svc comes while what is open is ""`},
		"an intent while another is open":   {slices.Delete(healthy(), 6, 7), "comes while the intent stamp service/svc is open"},
		"a workload before the route":       {slices.Delete(healthy(), 4, 7), "comes before the route has a stamp"},
		"a write of another intent":         {slices.Replace(healthy(), 11, 12, points("write: scale patch deployments/shop")...), `write scale patch deployments/shop comes while`},
		"an intent without a result":        {slices.Delete(healthy(), 12, 13), "the intent switch service/svc has no result"},
		"a transition that is not wanted":   {slices.Insert(healthy(), 13, points("transition: switch → switch")...), "the transitions are"},
		"a transition that does not come":   {slices.Delete(healthy(), 13, 14), "the transitions are"},
		"hardly anything":                   {healthy()[13:14], "a run begins with"},
		"a result of what was not intended": {slices.Replace(healthy(), 12, 13, points("result: scale deployment/shop")...), "result scale deployment/shop comes while"},
	}
	for name, test := range tests {
		if err := Orderly(test.points, transitions); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}
