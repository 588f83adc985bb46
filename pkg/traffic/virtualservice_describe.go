package traffic

import (
	"fmt"
	"strconv"
)

// hostSplit says in CEL what hostPools says in Go.
func hostSplit(variable string, colors colorServices) string {
	return istioSplit(variable, colors, func(service string) string { return leadsToHost(variable, service) })
}

// leadsToHost says in CEL what serviceOfHost says in Go.
func leadsToHost(variable, service string) string {
	namespaced := fmt.Sprintf("%s + %s.metadata.namespace", strconv.Quote(service+"."), variable)
	return fmt.Sprintf("has(b.destination.host) && (b.destination.host == %s || b.destination.host == %s || (b.destination.host + \".\").startsWith(%s + \".svc.\"))",
		strconv.Quote(service), namespaced, namespaced)
}

// subsetSplit says in CEL what subsetPools says in Go.
func subsetSplit(variable string, colors colorServices) string {
	return istioSplit(variable, colors, func(called string) string {
		subset, _ := ParseSubset(called)
		return fmt.Sprintf("has(b.destination.subset) && b.destination.subset == %s && %s", strconv.Quote(subset.Name), leadsToHost(variable, subset.Service))
	})
}

// istioSplit reads the routes of each protocol. A weight counts where there are
// two destinations, among which one without it gets nothing.
func istioSplit(variable string, colors colorServices, ours func(called string) string) string {
	var lists []listed
	for _, protocol := range []string{"http", "tls", "tcp"} {
		one := listed{
			holders:  held(variable, "spec", protocol),
			backends: held("r", "route"),
			ours:     func(called string) string { return "has(b.destination) && " + ours(called) },
			weight:   weightOr("0"),
		}
		if protocol == "http" { // nothing else has headers
			one.chosen = chosenByMatch("r.match")
		}
		lists = append(lists, one)
	}
	return splitOfLists(colors, lists...)
}
