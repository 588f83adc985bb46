package preflight

import (
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func podsUpToDate() Check {
	return Check{
		ID: "BG-COL-20", Title: "pods run with the configuration that there is", Area: AreaColors,
		Stages: []Stage{StageDeploy},
		Why: "A container reads its variables when it starts. A ConfigMap or a Secret that was written since reaches nobody: what is judged of it, the sizes of pools among that, is not what runs, and a release that changes nothing else is not there. " +
			"Pods whose manifests the shift applies are made anew by it.",
		Remedy:   "start the pods anew: kubectl rollout restart",
		Source:   "Kubernetes manual, ConfigMaps (consumed as environment variables they are not updated automatically and require a pod restart); that a shift went on with old pods was tried",
		Evaluate: evaluateOutdated,
	}
}

func evaluateOutdated(facts *Facts) []Finding {
	var findings []Finding
	for _, name := range facts.Release.Spec.ColorNames() {
		color, subject := facts.Colors[name], "colour "+name
		switch {
		case color.Planned:
			findings = append(findings, skip(subject, "none of its pods is wanted yet"))
		case !color.Outdated.Known:
			findings = append(findings, color.Outdated.unknown(subject)...)
		case len(color.Outdated.Value) == 0:
			findings = append(findings, pass(subject, "nothing that its pods take variables from was written since they were started"))
		default:
			findings = append(findings, outdatedIn(color, name == facts.Target && facts.Route.Value.Live != name)...)
		}
	}
	return findings
}

// outdatedIn is what there is to say of pods with variables of before. Those of the
// target are what production is led to; those of the live colour may go on.
func outdatedIn(color Color, isTarget bool) []Finding {
	var findings []Finding
	for _, one := range color.Outdated.Value {
		say, so := warn, "what is judged of it is not what they run with"
		switch {
		case isTarget && color.madeAnew(one.Workload):
			say, so = pass, "the shift makes them anew"
		case isTarget:
			say, so = fail, "they would get the traffic with what it said before"
		}
		finding := say(one.Workload, "%d of its pods run since %s, and %s was written at %s, by %s: %s",
			one.Pods, one.Started.UTC().Format(time.RFC3339), one.Object, one.Written.Time.UTC().Format(time.RFC3339), one.Written.Manager, so)
		findings = append(findings, finding.fix("start them anew: kubectl rollout restart %s", one.Workload))
	}
	return findings
}

// madeAnew reports whether the shift applies a workload with the sum of what its pods
// are given, so that it makes those anew that were given something else.
func (c Color) madeAnew(workload string) bool {
	return c.Running != nil && slices.ContainsFunc(c.Workloads.Value, func(w cluster.Workload) bool {
		return w.Ref.String() == workload && w.Template.Annotations[cluster.AnnotationConfiguration] != ""
	})
}
