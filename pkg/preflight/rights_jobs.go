package preflight

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// JobRights are what shift --detach and shift --guard take beyond Rights: to
// start a Job and see it come to work, for who types them, and to say that a
// guard watches, for the guard. A shift that its own process drives alone needs
// none of them.
func JobRights(rel *release.Release) []Right {
	all := &rights{namespace: rel.Metadata.Namespace}
	const start, watch, without = "start Jobs and take them away", "say that a guard watches", "shift --detach and --guard are refused"
	all.want(start, without, all.in("batch", "jobs", ""), "create", "delete")
	all.want("find the Job that a run goes on in", "status -w does not wait for a Job's next pod", all.in("batch", "jobs", ""), "list")
	all.want(start, without, all.in("", "configmaps", ""), "create", "delete")
	all.want("see why a Job does not start", "only that it does not is said", all.in("", "serviceaccounts", ""), "get")
	all.want("see why a Job does not start", "only that it does not is said", all.in("", "pods", ""), "list")
	all.want("see why a Job does not start", "only that it does not is said", all.in("", "events", ""), "list")
	all.want(watch, "shift --guard is refused", all.in("coordination.k8s.io", "leases", journal.VigilName(rel.Metadata.Name)), "get", "update")
	return all.list
}
