package preflight

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// RolledBack is a run whose target was taken the traffic from again, and was the last.
type RolledBack struct {
	Run    string
	Target string
	Reason string `json:",omitempty"`
	// Templates are, by workload, the hashes of the pod templates that it moved
	// traffic between (cluster.Workload.TemplateHash).
	Templates map[string]string `json:",omitempty"`
	// Unchanged are the workloads of its target that are, and after a shift would
	// be, what they were then.
	Unchanged []string `json:",omitempty"`
}

// rolledBack is the last run, where it was rolled back, held against what is there
// now. Its Value is nil where the last run ended otherwise, or there is none.
func rolledBack(ctx context.Context, in Inputs, facts *Facts) Fact[*RolledBack] {
	if in.RolledBack == nil {
		return known[*RolledBack](nil)
	}
	last, err := in.RolledBack(ctx)
	if err != nil {
		return notKnown[*RolledBack](err)
	}
	if last == nil || last.Target != facts.Target {
		return known[*RolledBack](nil)
	}
	planned := map[string]cluster.Workload{}
	manifests, _ := manifestWorkloads(in.Manifests[last.Target], in.Release.Spec.Colors[last.Target]) // told by others
	for _, workload := range manifests {
		planned[workload.Ref.String()] = workload
	}
	for _, ref := range in.Release.Spec.Colors[last.Target].Workloads {
		live, err := in.Client.Workload(ctx, in.namespace(), ref)
		if err != nil {
			continue // what is not there is not what it was
		}
		brought, declared := planned[ref.String()]
		if live.TemplateHash() == last.Templates[ref.String()] && (!declared || runsAlike(live.Template.Spec, brought.Template.Spec)) {
			last.Unchanged = append(last.Unchanged, ref.String())
		}
	}
	return known(last)
}

// runsAlike reports whether a manifest brings the images and the variables that a
// workload has. The rest of a template is filled in by the API server.
func runsAlike(live, manifest corev1.PodSpec) bool {
	return asText(programsOf(live)) == asText(programsOf(manifest))
}

// programsOf are the images and the variables of containers, by their names.
func programsOf(pod corev1.PodSpec) map[string][]string {
	programs := map[string][]string{}
	for _, container := range pod.Containers {
		programs[container.Name] = []string{container.Image}
		for _, variable := range container.Env {
			programs[container.Name] = append(programs[container.Name], variable.Name+"="+variable.Value)
		}
	}
	return programs
}
