package traffic

import "strconv"

// traefikServiceSplit says in CEL what the driver's pools say in Go.
func traefikServiceSplit(variable string, colors colorServices) string {
	return splitOfLists(colors, traefikListed(variable, "["+held(variable, "spec", "weighted", "services")+"]", "r", ""))
}

// ingressRouteSplit says in CEL what ingressRoutePools says in Go.
func ingressRouteSplit(variable string, colors colorServices) string {
	const chosen = `(has(r.match) && !r.match.contains("||") && ["Header(", "HeaderRegexp(", "Query(", "QueryRegexp("].exists(m, r.match.contains(m)))`
	return splitOfLists(colors, traefikListed(variable, held(variable, "spec", "routes"), held("r", "services"), chosen))
}

func traefikListed(variable, holders, backends, chosen string) listed {
	return listed{
		holders: holders, backends: backends, chosen: chosen,
		ours: func(called string) string {
			return among("b.kind", "", "Service") + " && " + ownNamespace("b.namespace", variable) + " && has(b.name) && b.name == " + strconv.Quote(called)
		},
		weight: weightOr("1"),
	}
}
