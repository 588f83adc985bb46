package traffic

import "strconv"

// chosenByMatch is a condition that every match of r, at a field, wants a header
// or a parameter that a client sets.
func chosenByMatch(field string) string {
	return "(has(" + field + ") && " + field + ".size() > 0 && " + field +
		".all(m, has(m.headers) && m.headers.size() > 0 || has(m.queryParams) && m.queryParams.size() > 0))"
}

// gatewaySplit says in CEL what gatewayPools says in Go, of routes of requests.
func gatewaySplit(variable string, colors colorServices) string {
	return splitOfLists(colors, gatewayListed(variable, chosenByMatch("r.matches")))
}

// gatewayConnectionSplit says it of routes of connections, whose rules match
// nothing.
func gatewayConnectionSplit(variable string, colors colorServices) string {
	return splitOfLists(colors, gatewayListed(variable, ""))
}

func gatewayListed(variable, chosen string) listed {
	return listed{
		holders: held(variable, "spec", "rules"), backends: held("r", "backendRefs"), chosen: chosen,
		ours: func(called string) string {
			return among("b.group", "") + " && " + among("b.kind", "", "Service") + " && " + ownNamespace("b.namespace", variable) + " && b.name == " + strconv.Quote(called)
		},
		weight: weightOr("1"),
	}
}
