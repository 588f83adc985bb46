package routertest

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Custom is of a kind that nobody has written a driver for: what it takes to
// move one is its places. Weights are numbers here and texts there.
func Custom(texts bool) Kind {
	place := func(object map[string]any) (map[string]any, []any) {
		lanes, _ := Within(object, "spec")["lanes"].([]any)
		return Within(object, "spec", "shares/all"), lanes
	}
	set := func(object map[string]any, service string, weight int64) {
		shares, lanes := place(object)
		color, index := strings.TrimPrefix(service, "svc-"), map[string]int{"svc-blue": 0, "svc-green": 1}[service]
		lane, _ := lanes[index].(map[string]any)
		if shares[color], lane["share"] = any(weight), any(weight); texts {
			shares[color] = strconv.FormatInt(weight, 10)
		}
	}
	fresh := `
apiVersion: toys.example/v1
kind: Lane
metadata: {name: shop, namespace: shop}
spec:
  shares/all: {blue: 1, green: 0}
  lanes: [{to: a, share: 1}, {to: b, share: 0}]
`
	if texts {
		fresh = strings.Replace(fresh, "{blue: 1, green: 0}", `{blue: "1", green: "0"}`, 1)
	}
	return Kind{
		Resource: schema.GroupVersionResource{Group: "toys.example", Version: "v1", Resource: "lanes"},
		Declare: func(traffic *release.Traffic) {
			traffic.Custom = &release.CustomRoute{APIVersion: "toys.example/v1", Resource: "lanes", Name: Name, Weights: map[string][]string{
				"blue":  {"/spec/shares~1all/blue", "/spec/lanes/0/share"},
				"green": {"/spec/shares~1all/green", "/spec/lanes/1/share"},
			}}
		},
		Fresh: fresh,
		Backends: func(object map[string]any) []Backend {
			shares, _ := place(object)
			var found []Backend
			for _, color := range []string{"blue", "green"} {
				weight, _ := shares[color].(int64)
				if text, is := shares[color].(string); is {
					weight, _ = strconv.ParseInt(text, 10, 64)
				}
				found = append(found, Backend{Color: "svc-" + color, Weight: weight})
			}
			return found
		},
		Set: set,
	}
}
