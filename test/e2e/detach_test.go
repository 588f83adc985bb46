package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A Job carries the shift, manifests and all, under the restricted standard and
// with the generated Role alone, which is also all that who starts it has. Its pod is deleted in mid-watch, and the next one goes on
// with the same run; who watches it from outside is told of its end.
func TestDetachedShiftOutlivesItsPod(t *testing.T) {
	s := open(t, shop.Options{Release: watching(40 * time.Second)})
	limited := s.jobs()
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()

	began := s.run(rollout.CodeDone, "shift", "--detach", "--image", jobImage, "-o", "json", "--kubeconfig", limited)
	says(t, began.Stderr, "next: kubectl bluegreen status ", " -w")
	first := s.status(began)
	if first.ID == "" || !strings.HasPrefix(first.Holder, "bluegreen-recommendation-shift-"+first.ID) {
		t.Fatalf("run %q of %q, want it to be driven by a pod of its Job", first.ID, first.Holder)
	}
	watch := s.start("status", "-w", "--kubeconfig", limited)
	watched := s.inPhase(rollout.Watch)
	s.byHand("delete", "pod", watched.Holder, "--wait=false")

	result := s.ended(watch, rollout.CodeDone)
	says(t, result.Stdout, "phase      done")
	status := s.now()
	if status.ID != first.ID || status.Phase != rollout.Done || status.Holder == watched.Holder || status.Epoch <= watched.Epoch {
		t.Errorf("run %s in phase %s of %s at epoch %d; want %s, done, by another pod than %s after epoch %d",
			status.ID, status.Phase, status.Holder, status.Epoch, first.ID, watched.Holder, watched.Epoch)
	}
	s.serves(shop.Green)
	s.recorded(first.ID, "apply", "switch", "stamp")
	s.onlyVersion(run, "v2.5.0")
	s.lostNothing("a detached shift whose pod was deleted", run.Counts().Since(before))
	s.eventually("the Job is complete", func() bool { return strings.Contains(s.jobOf(job.PurposeShift), "Complete 1") })
	if owner := s.byHand("get", "configmaps", "-l", job.LabelPurpose, "-o", "jsonpath={.items[*].metadata.ownerReferences[*].kind}"); owner != "Job" {
		t.Errorf("the ConfigMap is owned by %q, want the Job, so that it goes with it", owner)
	}
}

// A release that is bad is rolled back in the cluster as it would be here. That
// is a result: the Job makes no second pod, and the watch ends with its code.
func TestDetachedShiftRollsBack(t *testing.T) {
	s := open(t, shop.Options{Green: shop.Slot{Env: map[string]string{"FAULT_ERROR_RATE": "0.05"}}, Release: watching(hang)})
	s.jobs()
	s.production(keepAliveClients, freshClients)
	first := s.status(s.run(rollout.CodeDone, "shift", "--detach", "--image", jobImage, "-o", "json"))
	s.run(rollout.CodeRolledBack, "status", "-w")
	s.serves(shop.Blue)
	s.eventually("the Job is complete", func() bool { return strings.Contains(s.jobOf(job.PurposeShift), "Complete 1") })
	if pods := strings.Fields(s.byHand("get", "pods", "-l", job.LabelJob, "-o", "name")); len(pods) != 1 {
		t.Errorf("the Job made %d pods, want one: %v", len(pods), pods)
	}
	said := s.byHand("get", "pods", "-l", job.LabelJob, "-o", "jsonpath={.items[0].status.containerStatuses[0].state.terminated.message}")
	if report, reported := job.ParseReport(said); !reported || report.Code != rollout.CodeRolledBack || !strings.Contains(report.Message, "rolled back: blue serves production") {
		t.Errorf("the pod reports %q", said)
	}
	if status := s.now(); status.ID != first.ID || status.Phase != rollout.RolledBack {
		t.Errorf("run %s in phase %s, want %s rolled back", status.ID, status.Phase, first.ID)
	}
}

// A Job that can't start is refused with why and what to do, and nothing was
// written that belongs to the release.
func TestDetachedShiftThatCanNotStart(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	s.jobs()
	s.account("bare", nil)
	s.account("reader", operatorRules("get", "list"))
	before := s.objects()
	for name, test := range map[string]struct {
		args []string
		says []string
	}{
		"no image":                         {nil, []string{"needs an image", "image save"}},
		"an image that can't be pulled":    {[]string{"--image", "127.0.0.1:1/none:v1"}, []string{"error: start job/", "Err", "127.0.0.1:1/none:v1", "hint: ", "image push"}},
		"no image of a program":            {[]string{"--image", shop.Image("v2.5.0")}, []string{"error: start job/", "hint: "}},
		"no service account":               {[]string{"--image", jobImage, "--service-account", "nobody"}, []string{"no service account nobody", "generate rbac"}},
		"a service account without rights": {[]string{"--image", jobImage, "--service-account", "bare"}, []string{"missing right", "hint: "}},
		"a service account that may read":  {[]string{"--image", jobImage, "--service-account", "reader"}, []string{"lacks rights: patch services/" + shop.Service, "generate rbac"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := s.run(rollout.CodeFailed, append([]string{"shift", "--detach"}, test.args...)...)
			says(t, result.Stderr, test.says...)
			s.leavesNothing()
			if after := s.objects(); after != before {
				t.Errorf("the objects were changed:\n%s\n%s", before, after)
			}
		})
	}
	s.serves(shop.Blue)

	// Who may not make Jobs is told which right is missing.
	limited := s.kubeconfigWith("nojobs", operatorRules("get", "list", "patch"))
	result := s.run(rollout.CodeFailed, "shift", "--detach", "--image", jobImage, "--kubeconfig", limited)
	says(t, result.Stderr, "missing right: verb create on resource jobs.batch", "hint: ")
	s.leavesNothing()

	// Beside a run that is under way no Job is made.
	s.production(keepAliveClients, freshClients)
	process := s.inWatch(shop.Green, "shift")
	blocked := s.run(rollout.CodeBlocked, "shift", "--detach", "--image", jobImage)
	says(t, blocked.Stdout, "is not finished")
	if jobs := s.byHand("get", "jobs", "-o", "name"); jobs != "" {
		t.Errorf("jobs: %s", jobs)
	}
	s.ended(process, rollout.CodeDone)
}
