package preflight

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

func logsFresh() Check {
	return Check{
		ID: "BG-LOG-02", Title: "what the pods log reaches loki", Area: AreaLogs,
		Stages: []Stage{StageDeploy},
		Why: "Logs that arrive late show a release that went well minutes ago. What a pod has written by its own log is held against the newest line that Loki has of it, " +
			"since silence is no fault of a pod that has nothing to say.",
		Remedy:   "check what collects the logs on the pod's node, its queue and its limits, and Loki itself",
		Source:   "second runbook, Deployment Context (full observability during transition); Key Takeaways, 3 (real-time observability by version)",
		Evaluate: func(facts *Facts) []Finding { return eachLogs(facts, arrives) },
	}
}

// arrives judges the pods that were followed. The worst of them counts.
func arrives(facts *Facts, subject string, _ Color, logs measure.Logs) Finding {
	if logs.Streams == 0 {
		return skip(subject, "no stream of it is found (BG-LOG-01)")
	}
	unread, due := "", 0
	for _, pod := range logs.Followed {
		age := facts.Time.Sub(pod.Written)
		switch {
		case pod.Unread != "":
			unread = pod.Unread
		case pod.Written.IsZero() || age > measure.LogWindow || age < logsArrive:
		case pod.Shipped.IsZero():
			return fail(subject, "pod %s wrote a line %s ago, and loki has none of it", pod.Pod, age.Round(time.Second))
		case pod.Written.Sub(pod.Shipped) > logsArrive:
			return fail(subject, "pod %s wrote a line %s ago, and the newest that loki has of it is %s old", pod.Pod,
				age.Round(time.Second), facts.Time.Sub(pod.Shipped).Round(time.Second))
		default:
			due++
		}
	}
	switch {
	case unread != "":
		return unknown(subject, "what its pods wrote can't be told: %s", unread)
	case due == 0:
		return skip(subject, "none of its pods that were looked at has written a line that should be there by now")
	default:
		return pass(subject, "the lines of %d pods have arrived", due)
	}
}
