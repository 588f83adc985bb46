package preflight

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// leastGrace is how long a pod should have to let go of its clients: the 5 s
// in which an answer carries Connection: close, and as much again for the
// requests under way.
const leastGrace = 10

func gracefulTermination() Check {
	return Check{
		ID: "BG-COL-13", Title: "pods have time to end gracefully", Area: AreaColors,
		Stages: []Stage{StagePR, StageDeploy},
		Why:    "Connections that are kept alive stay on the old pods until those end. A pod that is killed at once breaks a request on each of them.",
		Remedy: "set spec.template.spec.terminationGracePeriodSeconds to 30 and let the server drain on SIGTERM",
		Source: "first runbook, Deployment Context (zero-downtime deployment with full rollback capability)",
		Evaluate: func(facts *Facts) []Finding {
			return eachWorkload(facts, facts.colors(), func(subject string, template corev1.PodTemplateSpec) Finding {
				finding := terminationOf(subject, template)
				if workers(facts) {
					finding = workerTermination(finding, template, facts.Release.Spec.Traffic.Deadlines)
				}
				return finding
			})
		},
	}
}

// workerTermination holds the time that workers have to end a job against the time
// for which a shift waits for them.
func workerTermination(finding Finding, template corev1.PodTemplateSpec, deadlines release.Deadlines) Finding {
	grace := time.Duration(graceOf(template)) * time.Second
	if finding.Outcome == Warn {
		finding.Cause = fmt.Sprintf("a grace period of %s is short for ending a job", grace)
	}
	if drain := deadlines.Drain.Std(); finding.Outcome == Pass && grace > drain {
		return warn(finding.Subject, "its pods have %s to end a job, and a shift waits %s for them and is then held", grace, drain).
			fix("set spec.traffic.deadlines.drain to %s, and .reroute to more than that where workers.order is %s", grace, release.OldFirst)
	}
	return finding
}

// graceOf is the grace period of a template's pods in seconds; 30 is Kubernetes'
// own default.
func graceOf(template corev1.PodTemplateSpec) int64 {
	return ptr.Deref(template.Spec.TerminationGracePeriodSeconds, 30)
}

func terminationOf(subject string, template corev1.PodTemplateSpec) Finding {
	return terminationWithin(subject, template, graceOf(template)).at("spec.template.spec.terminationGracePeriodSeconds")
}

func terminationWithin(subject string, template corev1.PodTemplateSpec, grace int64) Finding {
	sleep := int64(0)
	for _, container := range template.Spec.Containers {
		if container.Lifecycle != nil && container.Lifecycle.PreStop != nil && container.Lifecycle.PreStop.Sleep != nil {
			sleep = max(sleep, container.Lifecycle.PreStop.Sleep.Seconds)
		}
	}
	switch {
	case grace == 0:
		return fail(subject, "terminationGracePeriodSeconds is 0: its pods are killed at once")
	case sleep >= grace:
		return fail(subject, "its preStop sleep of %d s uses up the grace period of %d s, so it is killed without a SIGTERM", sleep, grace).
			fix("set terminationGracePeriodSeconds of %s to more than %d", subject, sleep)
	case grace < leastGrace:
		return warn(subject, "a grace period of %d s is short for letting go of kept-alive clients", grace)
	default:
		return pass(subject, "its pods have %d s to end", grace)
	}
}
