package traffic

import (
	"fmt"
	"strconv"
)

// nginxSplit says in CEL what nginxPools says in Go, of the canary alone: the main
// Ingress is another object, which no policy reads. A number that is not written
// as a whole one, in digits, is not clear, and neither is a canary of which a path
// leads to no Service.
func nginxSplit(variable string, colors colorServices) string {
	one, other := pairOf(colors)
	annotation := func(key, otherwise string) string {
		return fmt.Sprintf(`(has(%[1]s.metadata.annotations) && %[2]q in %[1]s.metadata.annotations ? %[1]s.metadata.annotations[%[2]q] : %[3]q)`, variable, key, otherwise)
	}
	numbers := fmt.Sprintf(`[%s, %s]`, annotation(nginxWeight, "0"), annotation(nginxTotal, strconv.Itoa(nginxOtherwise)))
	pairs := fmt.Sprintf(`n[0] > n[1] ? [] : %s ? [[[n[0]], [n[1] - n[0]], [0]]] : %s ? [[[n[1] - n[0]], [n[0]], [0]]] : []`,
		nginxLeadsTo(variable, colors[one]), nginxLeadsTo(variable, colors[other]))
	canary := annotation(nginxCanary, "") + ` in ["1", "t", "T", "true", "TRUE", "True"]` // as strconv.ParseBool has it
	return fmt.Sprintf(`[%s].map(t, %s && t.all(x, x.matches("^[0-9]{1,18}$")) ? [[int(t[0]), int(t[1])]].map(n, %s)[0] : "")[0]`,
		numbers, canary, splitOfPairs(one, other, "("+pairs+")"))
}

// nginxLeadsTo is a condition that all paths of an Ingress, and there are some,
// lead to a Service.
func nginxLeadsTo(variable, service string) string {
	leads := "has(p.backend.service) && p.backend.service.name == " + strconv.Quote(service)
	paths := "(has(r.http) && has(r.http.paths) ? r.http.paths : [])"
	rules, otherwise := held(variable, "spec", "rules"), "has("+variable+".spec.defaultBackend)"
	return fmt.Sprintf("(%[1]s.all(r, %[2]s.all(p, %[3]s)) && (%[1]s.exists(r, %[2]s.size() > 0) || %[4]s) && (!%[4]s || has(%[5]s.service) && %[5]s.service.name == %[6]q))",
		rules, paths, leads, otherwise, variable+".spec.defaultBackend", service)
}
