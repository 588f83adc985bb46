package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// internal is a second production Service, for callers inside the cluster.
const internal = "svc-internal"

// internalManifest selects what the first production Service does.
const internalManifest = `apiVersion: v1
kind: Service
metadata: {name: svc-internal, labels: {app: recommendation}}
spec:
  selector: {app: recommendation, version: blue}
  ports: [{name: http, port: 80, targetPort: http}]
`

// refusingPolicy keeps a Service's selector as it is. What carries the label
// e2e-probe is always refused, by which a test sees that it is in force.
const refusingPolicy = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: internal.%[1]s.e2e}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [services], resourceNames: [svc-internal], scope: Namespaced}
  validations:
  - expression: '!has(object.metadata.labels) || !("e2e-probe" in object.metadata.labels)'
    message: the probe is refused
    reason: Forbidden
  - expression: '%[2]s || object.spec.selector == oldObject.spec.selector'
    message: svc-internal stays where it is
    reason: Forbidden
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: internal.%[1]s.e2e}
spec: {policyName: internal.%[1]s.e2e, validationActions: [Deny]}
`

// Two production Services of one release move one after the other, and back; and
// where the second can't be written, both are where they were, whether the server
// says so before anything is written or only then.
func TestSwitchSetMovesTogetherOrNotAtAll(t *testing.T) {
	s := open(t, shop.Options{Release: func(document *release.Release) {
		document.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: internal}}}
	}})
	s.applies(internalManifest)
	run := s.production(keepAliveClients, freshClients)

	s.refusesInternal("false") // dry runs too
	before := run.Counts()
	blocked := s.run(rollout.CodeBlocked, "shift", "-o", "json")
	says(t, blocked.Stderr, "BG-COL-06", "svc-internal stays where it is")
	s.bothServe(shop.Blue)
	s.lostNothing("a shift that is refused", run.Counts().Since(before))

	s.refusesInternal("has(request.dryRun) && request.dryRun")
	before = run.Counts()
	result := s.run(rollout.CodeRolledBack, "shift", "-o", "json")
	status := s.status(result)
	says(t, status.Reason, "svc-internal stays where it is", "service/"+shop.Service+" given back: the routes differed for", "are where they were")
	says(t, result.Stderr, "the routes differed for")
	if writes := intents(status, "switch"); len(writes) != 1 {
		t.Errorf("the set was switched %d times, want once", len(writes))
	}
	s.bothServe(shop.Blue)
	s.lostNothing("a shift whose second write fails", run.Counts().Since(before))

	s.allowsInternal()
	before = run.Counts()
	shifted := s.run(rollout.CodeDone, "shift", "-o", "json")
	says(t, shifted.Stderr, "service/"+shop.Service+" + service/"+internal, "2 routes, differed for")
	s.bothServe(shop.Green)
	s.drained(s.status(shifted))
	s.lostNothing("shift of both", run.Counts().Since(before))

	before = run.Counts()
	back := s.run(rollout.CodeDone, "rollback", "-o", "json")
	says(t, back.Stderr, "2 routes, differed for")
	s.bothServe(shop.Blue)
	s.lostNothing("rollback of both", run.Counts().Since(before))
}

// A set of which one was moved by hand is told, by every command that looks, and
// is given back as a whole.
func TestSwitchSetThatDiffersIsTold(t *testing.T) {
	s := open(t, shop.Options{Release: func(document *release.Release) {
		document.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: internal}}}
	}})
	s.applies(internalManifest)
	s.production(keepAliveClients, freshClients)
	s.run(rollout.CodeDone, "shift", "-o", "json")
	s.bothServe(shop.Green)

	s.byHand("patch", "service", internal, "--type=merge", "-p", selecting(shop.Blue))
	mixed := fmt.Sprintf("mixed (service/%s has green=100, service/%s has blue=100)", shop.Service, internal)
	says(t, s.run(rollout.CodeDone, "status").Stdout, mixed)
	says(t, s.run(rollout.CodeDone, "explain", "route").Stdout, mixed)
	s.run(rollout.CodeDone, "rollback", "-o", "json")
	s.bothServe(shop.Blue)
}

// A set of which one was deleted is moved no more, is told, and goes back with what
// is left of it.
func TestSwitchSetOfWhichOneWasDeletedGoesBack(t *testing.T) {
	s := open(t, shop.Options{Release: func(document *release.Release) {
		document.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: internal}}}
	}})
	s.applies(internalManifest)
	run := s.production(keepAliveClients, freshClients)
	s.run(rollout.CodeDone, "shift", "-o", "json")
	s.bothServe(shop.Green)

	s.byHand("delete", "service", internal)
	const gone = "service/" + internal + " is gone"
	says(t, s.run(rollout.CodeDone, "status").Stdout, "service/"+shop.Service+" has green=100, "+gone)
	says(t, s.run(rollout.CodeFailed, "shift", "--to", shop.Blue).Stderr, gone)
	s.serves(shop.Green)
	before := run.Counts()
	back := s.run(rollout.CodeDone, "rollback", "-o", "json")
	says(t, back.Stderr, gone, "going back to blue")
	s.serves(shop.Blue)
	s.lostNothing("rollback of what is left", run.Counts().Since(before))
}

// bothServe fails the test unless both production Services select a colour, and
// production's EndpointSlices hold its pods.
func (s *scenario) bothServe(color string) {
	s.t.Helper()
	s.serves(color)
	if selected := s.byHand("get", "service", internal, "-o", "jsonpath={.spec.selector.version}"); selected != color {
		s.t.Errorf("%s selects %s, want %s", internal, selected, color)
	}
}

// refusesInternal puts the policy in force, which lets a switch of the second
// Service pass where a condition holds.
func (s *scenario) refusesInternal(unless string) {
	s.t.Helper()
	policy := "internal." + s.shop.Namespace + ".e2e"
	s.applies(fmt.Sprintf(refusingPolicy, s.shop.Namespace, unless))
	s.t.Cleanup(func() { // both kinds are of the whole cluster
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), hang)
		defer cancel()
		kubectl := exec.CommandContext(ctx, "kubectl", "--kubeconfig", place(s.t).Kubeconfig, "delete", "--ignore-not-found", "--wait=false",
			"validatingadmissionpolicybinding/"+policy, "validatingadmissionpolicy/"+policy)
		if output, err := kubectl.CombinedOutput(); err != nil {
			s.t.Errorf("take away %s: %v\n%s", policy, err, output)
		}
	})
	// By the condition itself: the policy may have been in force with another.
	want := unless == "false"
	s.eventually("the policy is in force", func() bool {
		return s.probe("label", "service", internal, "e2e-probe=1") && s.probe("patch", "service", internal, "--type=merge", "-p", selecting(shop.Green)) == want
	})
}

// allowsInternal takes the policy away.
func (s *scenario) allowsInternal() {
	s.t.Helper()
	policy := "internal." + s.shop.Namespace + ".e2e"
	s.byHand("delete", "validatingadmissionpolicybinding/"+policy, "validatingadmissionpolicy/"+policy)
	s.eventually("the policy is gone", func() bool { return !s.probe("label", "service", internal, "e2e-probe=1") })
}

// probe reports whether the server refuses what kubectl would do.
func (s *scenario) probe(args ...string) bool {
	s.t.Helper()
	result := command(s.t, s.shop.Folder, nil, "kubectl", append([]string{"-n", s.shop.Namespace, "--dry-run=server"}, args...)...)
	return result.Code != 0 && strings.Contains(result.Stderr, "ValidatingAdmissionPolicy 'internal.")
}
