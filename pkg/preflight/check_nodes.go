package preflight

import "slices"

func nodeHeadroom() Check {
	return Check{
		ID: "BG-COL-11", Title: "the nodes have room for the target's pods", Area: AreaColors,
		Stages:   []Stage{StageDeploy},
		Why:      "Pods of the second colour that no node can take stay Pending, and the roll-out runs into its deadline.",
		Remedy:   "add nodes, or lower resources.requests of the workloads",
		Source:   "first runbook, Best Practices (always size infrastructure for peak deployment states)",
		Evaluate: evaluateNodes,
	}
}

func evaluateNodes(facts *Facts) []Finding {
	target := facts.target()
	switch {
	case !facts.Nodes.Known:
		return facts.Nodes.unknown("nodes")
	case !target.Workloads.Known:
		return target.Workloads.unknown("colour " + facts.Target)
	case !target.Owned.Known:
		return target.Owned.unknown("colour " + facts.Target)
	}
	left := facts.Nodes.Value
	count, unplaced := placeAll(left, podsToCome(facts))
	if count == 0 {
		return []Finding{pass("nodes", "no pod is still to come")}
	}
	if unplaced > 0 {
		return []Finding{warn("nodes", "%d of %d pods that are still to come fit on no node by their requests", unplaced, count).
			with("nodes", len(left)).with("pods", count)}
	}
	return []Finding{pass("nodes", "%d more pods fit on %d nodes by their requests", count, len(left))}
}

// placeAll puts the pods that are to come on nodes, and returns how many they
// are and how many found no room.
func placeAll(nodes []Node, parts []coming) (count, unplaced int) {
	left := slices.Clone(nodes)
	for _, part := range parts {
		cpu, memory := podRequests(part.spec)
		count += part.missing + part.surge
		unplaced += place(left, cpu, memory, part.missing+part.surge)
	}
	return count, unplaced
}

// place puts pods on the first node that has room and returns how many found
// none. It knows requests only: affinity and spread may forbid more.
func place(nodes []Node, cpu, memory int64, count int) (unplaced int) {
	for range count {
		placed := false
		for i := range nodes {
			if nodes[i].Pods < 1 || nodes[i].CPU < cpu || nodes[i].Memory < memory {
				continue
			}
			nodes[i].Pods--
			nodes[i].CPU -= cpu
			nodes[i].Memory -= memory
			placed = true
			break
		}
		if !placed {
			unplaced++
		}
	}
	return unplaced
}
