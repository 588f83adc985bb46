package preflight

func replicasMatch() Check {
	return Check{
		ID: "BG-COL-08", Title: "the target has at least as many pods as the live colour has ready", Area: AreaColors,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:      "A target at its minimum takes the whole load that the live colour was scaled up for. It is sized to the live colour's count before the switch, by replicas and by its autoscaler's floor.",
		Remedy:   "scale the target's workloads to the live colour's ready count, and raise minReplicas of its autoscaler",
		Source:   "first runbook, Best Practices (always size infrastructure for peak deployment states)",
		Evaluate: evaluateReplicas,
	}
}

func evaluateReplicas(facts *Facts) []Finding {
	live, ok := facts.live()
	subject := "colour " + facts.Target
	target := facts.target()
	switch {
	case !ok:
		return []Finding{unknown(subject, liveUnread)}
	case live.Name == facts.Target:
		return []Finding{skip(subject, "it is the live colour")}
	case !live.Workloads.Known:
		return live.Workloads.unknown("colour " + live.Name)
	case !target.Workloads.Known:
		return target.Workloads.unknown(subject)
	}
	ready, wanted := int32(0), int32(0)
	for _, workload := range live.Workloads.Value {
		ready += workload.ReadyReplicas
	}
	for _, workload := range target.Workloads.Value {
		wanted += workload.Replicas
	}
	if wanted < ready {
		remedy := "scale the workloads of %s to %d in all (spec.replicas)"
		switch {
		case target.Running != nil:
			remedy = "let the manifests of %s set spec.replicas to %d in all"
		case target.absent:
			remedy = "let the manifests of %s set spec.replicas to %d in all, if only until it is deployed: what they leave out is made with 1"
		}
		return []Finding{fail(subject, "it wants %d pods while %s has %d ready", wanted, live.Name, ready).
			with("target", wanted).with("live", ready).fix(remedy, facts.Target, ready)}
	}
	for _, workload := range target.Workloads.Value {
		if floor, scaled := facts.autoscaledMinimum(workload); scaled && int(ready) > floor && len(target.Workloads.Value) == 1 {
			return []Finding{warn(subject, "its autoscaler may take it down to %d before the traffic comes, and %s has %d ready", floor, live.Name, ready).
				fix("set spec.minReplicas of the autoscaler of %s to %d for the shift", workload.Ref, ready)}
		}
	}
	if !facts.Autoscalers.Known {
		return []Finding{warn(subject, "it wants %d pods, %s has %d ready, unless an autoscaler takes it down: %s", wanted, live.Name, ready, facts.Autoscalers.Problem)}
	}
	return []Finding{pass(subject, "it wants %d pods, %s has %d ready", wanted, live.Name, ready)}
}
