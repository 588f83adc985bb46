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
		Why:      "Traffic given to pods that are not ready is answered with errors; no weight moves before every wanted pod of the target is Running and Ready. Looked at is what runs now: where the target's manifests will replace its pods, one that is not ready is told, and the shift waits for the new ones.",
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
		finding := readyNow(target, workload)
		if facts.Stage == StageRollback && finding.Outcome == Fail && workload.ReadyReplicas > 0 {
			// Rollback always wins: fewer pods than wanted are told and go.
			finding.Outcome = Warn
		}
		findings = append(findings, finding)
	}
	return findings
}

// readyNow judges what runs of a workload. Pods that the shift will replace say
// nothing of those that come: one that is not ready is told, and keeps what mends
// it from nobody.
func readyNow(target Color, workload cluster.Workload) Finding {
	now, runs := target.now(workload.Ref)
	switch {
	case target.Running == nil:
		return workloadReady(workload, target.Owned)
	case !runs:
		return skip(workload.Ref.String(), "none of its pods is wanted yet: the shift deploys it, and moves nothing before all of them are ready")
	}
	finding := workloadReady(now, target.Owned)
	if !replaces(workload, now) {
		return finding
	}
	finding.Cause += "; the shift replaces them by those of its manifests, and moves nothing before all of these are ready"
	if finding.Outcome == Fail {
		finding.Outcome = Warn
	}
	return finding
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
