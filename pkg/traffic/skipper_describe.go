package traffic

import (
	"fmt"
	"strconv"
)

// routeGroupSplit says in CEL what routeGroupPools says in Go. Where no backend
// of a list has a weight, all have the same.
func routeGroupSplit(variable string, colors colorServices) string {
	listedAt := func(holders, backends, chosen string) listed {
		return listed{
			holders: holders, backends: backends, chosen: chosen,
			ours: func(called string) string {
				return fmt.Sprintf(`%s.exists(n, n.name == b.backendName && n.type == "service" && has(n.serviceName) && n.serviceName == %s)`,
					held(variable, "spec", "backends"), strconv.Quote(called))
			},
			weight: weightOr("(" + backends + ".exists(o, has(o.weight)) ? 0 : 1)"),
		}
	}
	const chosen = `(has(r.predicates) && r.predicates.exists(p, p.matches("^\\s*(Header|HeaderRegexp|Cookie|QueryParam)\\(")))`
	return splitOfLists(colors,
		listedAt("["+held(variable, "spec", "defaultBackends")+"]", "r", ""),
		listedAt(held(variable, "spec", "routes"), held("r", "backends"), chosen))
}

// The annotation with the weights of an Ingress is JSON, which CEL does not read.
// A flat object of names and whole numbers, as this program and every manual
// write it, is taken apart as text. One with a number that is no whole one, and
// whatever else is there, is not clear, though a driver may read it.
const (
	plainWeights = `^\s*\{\s*("[a-zA-Z0-9.-]+"\s*:\s*(0|[1-9][0-9]{0,17})\s*(,\s*"[a-zA-Z0-9.-]+"\s*:\s*(0|[1-9][0-9]{0,17})\s*)*)?\}\s*$`
	withoutSpace = `.replace(" ", "").replace("\t", "").replace("\r", "").replace("\n", "")`
)

// skipperIngressSplit says in CEL what skipperIngressPools says in Go: every path
// has the weights of the one annotation. Of two without any weight each has half,
// and only where nobody else has one either, for such a path may be one of theirs.
func skipperIngressSplit(variable string, colors colorServices) string {
	one, other := pairOf(colors)
	text := fmt.Sprintf(`(has(%[1]s.metadata.annotations) && %[2]q in %[1]s.metadata.annotations ? %[1]s.metadata.annotations[%[2]q] : "{}")`, variable, weightsAnnotation)
	// What stands there last counts, as for who reads JSON.
	weight := func(color string) string {
		begin := strconv.Quote(strconv.Quote(colors[color]) + ":")
		return fmt.Sprintf("e.filter(x, x.startsWith(%[1]s)).map(x, int(x.substring(%[1]s.size())))", begin)
	}
	weights := fmt.Sprintf(`[%s].map(e, [%s, %s].map(w, w.size() > 0 ? w[w.size() - 1] : e == [""] ? 1 : 0))[0]`,
		`t`+withoutSpace+`.replace("{", "").replace("}", "").split(",")`, weight(one), weight(other))
	pairs := fmt.Sprintf("[%s].map(w, [[[w[0]], [w[1]], [0]]])[0]", weights)
	return fmt.Sprintf("[%s].map(t, %s && t.matches(%s) ? %s : \"\")[0]", text, pathsOfBoth(variable, colors[one], colors[other]), strconv.Quote(plainWeights), splitOfPairs(one, other, pairs))
}

// pathsOfBoth is a condition that each path of an Ingress which leads to one of
// two Services leads to both, once, and that there is such a path.
func pathsOfBoth(variable, one, other string) string {
	const service = `(has(p.backend.service) ? p.backend.service.name : "")`
	keys := func(name string) string {
		return fmt.Sprintf(`%s.map(r, (has(r.http) && has(r.http.paths) ? r.http.paths : []).filter(p, %s == %s)`+
			`.map(p, "path " + (has(r.host) ? r.host : "") + (has(p.path) ? p.path : "")).join("\n")).filter(k, k != "").join("\n").split("\n")`,
			held(variable, "spec", "rules"), service, strconv.Quote(name))
	}
	return fmt.Sprintf(`[[%s, %s]].all(k, k[0] != [""] && k[0].size() == k[1].size() && k[0].all(a, a in k[1] && k[0].exists_one(c, c == a)) && k[1].all(a, k[1].exists_one(c, c == a)))`+
		` && !(has(%[3]s.spec.defaultBackend) && has(%[3]s.spec.defaultBackend.service) && %[3]s.spec.defaultBackend.service.name in [%[4]q, %[5]q])`,
		keys(one), keys(other), variable, one, other)
}
