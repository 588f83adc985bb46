package preflight

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func workloadsReady() Check {
	return Check{
		ID: "BG-COL-01", Title: "the target's pods are running and ready", Area: AreaColors,
		Stages: []Stage{StageDeploy, StageRollback}, Critical: true,
		Why:      "Traffic given to pods that are not ready is answered with errors; no weight moves before every wanted pod of the target is Running and Ready.",
		Remedy:   "kubectl describe pods of the workload, fix what keeps them from being ready, and check again",
		Source:   "second runbook, Pre-Deployment Checklist, Infrastructure & Configuration; first runbook, Deployment Procedure, step 1",
		Evaluate: evaluateWorkloadsReady,
	}
}

func evaluateWorkloadsReady(facts *Facts) []Finding {
	target := facts.target()
	if !target.Workloads.Known {
		return target.Workloads.unknown("colour " + facts.Target)
	}
	if len(target.Workloads.Value) == 0 {
		return []Finding{fail("colour "+facts.Target, "it has no workloads").fix("set spec.colors.%s.workloads", facts.Target)}
	}
	if target.Planned {
		return []Finding{skip("colour "+facts.Target, "none of its pods is wanted yet: the shift deploys it, and moves nothing before all of them are ready")}
	}
	if workers(facts) && facts.Stage == StageRollback && atZero(target) {
		return []Finding{skip("colour "+facts.Target, "it has no replicas: the rollback starts it, and ends the other once it is ready")}
	}
	var findings []Finding
	for _, workload := range target.Workloads.Value {
		finding := workloadReady(workload, target.Owned)
		if facts.Stage == StageRollback && finding.Outcome == Fail && workload.ReadyReplicas > 0 {
			// Rollback always wins: fewer pods than wanted are told and go.
			finding.Outcome = Warn
		}
		findings = append(findings, finding)
	}
	return findings
}

func workloadReady(workload cluster.Workload, owned Fact[[]corev1.Pod]) Finding {
	subject := workload.Ref.String()
	switch {
	case workload.Replicas == 0:
		return fail(subject, "it is scaled to zero").fix("kubectl scale %s --replicas=N, or let the shift apply its manifests", subject)
	case workload.ReadyReplicas < workload.Replicas:
		return fail(subject, "%d/%d pods are ready%s", workload.ReadyReplicas, workload.Replicas, obstacle(owned.Value)).
			with("ready", workload.ReadyReplicas).with("wanted", workload.Replicas)
	case !workload.Readiness.Successful:
		return fail(subject, "%s", workload.Readiness.Message)
	default:
		return pass(subject, "%d/%d pods are ready", workload.ReadyReplicas, workload.Replicas).with("ready", workload.ReadyReplicas)
	}
}

// obstacle says of one pod that is not ready why.
func obstacle(pods []corev1.Pod) string {
	for i := range pods {
		if readiness := cluster.PodReadiness(&pods[i]); !readiness.Successful && pods[i].DeletionTimestamp == nil {
			return "; " + strings.TrimSuffix(readiness.Message, ".")
		}
	}
	return ""
}
