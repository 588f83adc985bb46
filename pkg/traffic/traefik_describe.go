package traffic

import (
	"strconv"
	"strings"
)

// traefikServiceSplit says in CEL what the driver's pools say in Go.
func traefikServiceSplit(variable string, colors colorServices) string {
	return splitOfLists(colors, traefikListed(variable, "["+held(variable, "spec", "weighted", "services")+"]", "r", ""))
}

// ingressRouteSplit says in CEL what ingressRoutePools says in Go. CEL has no
// parser of rules: matchers that are joined by && are taken apart as text, each in
// parentheses or not. A rule that negates several at once is not clear, though the
// driver may read it.
func ingressRouteSplit(variable string, colors colorServices) string {
	const arguments = `\s*\((?:[^()\x60"]|\x60[^\x60]*\x60|"(?:[^"\\]|\\.)*")*\)[\s)]*`
	const anyOne = `[\s(]*!?\s*[A-Za-z]+` + arguments
	asked := `[\s(]*(?:` + strings.Join(traefikAsked(), "|") + `)` + arguments
	chosen := "(has(r.match) && r.match.matches(" + strconv.Quote("^(?:"+anyOne+"&&)*"+asked+"(?:&&"+anyOne+")*$") + "))"
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
