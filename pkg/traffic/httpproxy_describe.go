package traffic

import (
	"fmt"
	"strconv"
)

// httpProxySplit says in CEL what contourPools says in Go. Where no service of a
// list has a weight, all have the same; a mirror is not in the list.
func httpProxySplit(variable string, colors colorServices) string {
	// What a condition wants to be there, a client sets.
	asks := func(field string) string {
		return fmt.Sprintf("has(%[1]s) && !has(%[1]s.notpresent) && !has(%[1]s.notcontains) && !has(%[1]s.notexact)", field)
	}
	chosen := "(has(r.conditions) && r.conditions.exists(c, " + asks("c.header") + " || " + asks("c.queryParameter") + "))"
	backends := held("r", "services") + ".filter(m, !has(m.mirror) || m.mirror != true)"
	listedAt := func(holders, chosen string) listed {
		return listed{
			holders: holders, backends: backends, chosen: chosen,
			ours:   func(called string) string { return "has(b.name) && b.name == " + strconv.Quote(called) },
			weight: weightOr("(" + backends + ".exists(o, has(o.weight)) ? 0 : 1)"),
		}
	}
	proxy := "(has(" + variable + ".spec) && has(" + variable + ".spec.tcpproxy) ? [" + variable + ".spec.tcpproxy] : [])"
	return splitOfLists(colors, listedAt(held(variable, "spec", "routes"), chosen), listedAt(proxy, ""))
}
