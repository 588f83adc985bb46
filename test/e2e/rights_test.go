package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// account is what the generated service account of the shop's release is
// called, and its Role.
const account = "bluegreen-recommendation"

// The whole product runs with the generated Role and no other right, and asks for
// all that is in it.
func TestGeneratedRoleIsEnough(t *testing.T) {
	s := open(t, shop.Options{})
	s.production(keepAliveClients, freshClients)
	login := s.generatedAccount("--nodes")
	asked := &interpose.Asked{}
	limited := s.heard(login, asked)
	run := func(code int, args ...string) shop.Result {
		t.Helper()
		return s.run(code, append(args, "--kubeconfig", limited)...)
	}

	report := s.checked(rollout.CodeDone, "--kubeconfig", limited)
	for _, id := range []string{"BG-COL-07", "BG-COL-11"} {
		if finding := findingOf(t, report, id); finding.Outcome != preflight.Pass {
			t.Errorf("%s: %+v, want a pass", id, finding)
		}
	}
	for _, finding := range report.Findings {
		if strings.Contains(finding.Cause, "missing right") || strings.Contains(finding.Cause, "forbidden") {
			t.Errorf("%s %s lacks a right: %s", finding.ID, finding.Subject, finding.Cause)
		}
	}
	run(rollout.CodeDone, "db", "budget")
	run(rollout.CodeDone, "shift", "--dry-run=server")
	shifted := s.status(run(rollout.CodeDone, "shift", "-o", "json"))
	s.serves(shop.Green)
	s.recorded(shifted.ID, "stamp", "apply", "trial", "switch")

	run(rollout.CodeDone, "status")
	says(t, run(rollout.CodeDone, "history").Stdout, shifted.ID)
	run(rollout.CodeDone, "history", shifted.ID)
	run(rollout.CodeDone, "explain", "route")
	says(t, run(rollout.CodeDone, "resume").Stdout, "nothing to resume")
	// Without a document: the copy that the run left, and what init finds.
	elsewhere := command(t, t.TempDir(), nil, place(t).Plugin, "status", "-n", s.shop.Namespace, "--kubeconfig", limited)
	well(t, elsewhere)
	says(t, elsewhere.Stdout, "recommendation", shifted.ID)
	run(rollout.CodeDone, "init", "svc/"+shop.Service, "-n", s.shop.Namespace, "-f", "found.yaml")

	says(t, run(rollout.CodeDone, "stop", "not", "today").Stdout, "no run is under way")
	says(t, run(rollout.CodeBlocked, "shift").Stdout, "not today")
	well(t, command(t, s.shop.Folder, nil, "kubectl", "--kubeconfig", login, "-n", s.shop.Namespace, "annotate", "service", shop.Service, cluster.AnnotationStop+"-"))

	back := s.status(run(rollout.CodeDone, "rollback", "-o", "json"))
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	if s.preserved(back.ID) == "" {
		t.Error("no log of green was kept")
	}
	// Whoever may release may sign off: the first makes the ConfigMap, the next
	// changes it.
	until := time.Now().UTC().AddDate(0, 0, 7).Format(time.DateOnly)
	run(rollout.CodeDone, "signoff", "BG-TST-02", "--by", "ana", "--until", until)
	run(rollout.CodeDone, "signoff", "BG-NET-05", "--by", "ana", "--until", until)

	// A finished run is in the way of none.
	run(rollout.CodeDone, "shift", "--dry-run=server")
	s.cripple(login, false).usedAll(asked)
}

// heard is a kubeconfig that leads through a proxy which keeps what is asked for.
func (s *scenario) heard(kubeconfig string, asked *interpose.Asked) string {
	s.t.Helper()
	proxy, err := interpose.Start(s.t.Context(), kubeconfig, s.shop.Folder)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(proxy.Close)
	proxy.Use(asked.See)
	return proxy.Kubeconfig()
}

// unasked are the verbs that a release in good health does not come to, and why
// the Role has them all the same.
func unasked() map[string]string {
	const served = "asked for where the cluster serves the kind"
	return map[string]string{
		"list httpproxies": served, "list destinationrules": served, "get backendconfigs": served + ", and a Service names one",
		"delete configmaps":       "past runs are deleted from the twentieth on; that this is asked for is tested in pkg/rollout",
		"create pods/portforward": "a connection that begins with a POST is asked for where no WebSocket is let through",
	}
}

// usedAll fails the test unless every verb of the Role was asked for, or stands
// among those of unasked. This goes by the requests that were sent and not by the
// list of rights that the Role is made from: a right that stands there and that
// nothing uses is found by it. What is asked for is needed, for the API server
// answers whoever lacks it with 403.
func (c *crippled) usedAll(asked *interpose.Asked) {
	c.t.Helper()
	excused := unasked()
	for _, rule := range c.role.Rules {
		for _, verb := range rule.Verbs {
			what := verb + " " + strings.Join(rule.Resources, ",")
			_, known := excused[what]
			switch used := asked.Uses(c.role.Namespace, rule, verb); {
			case used && known:
				c.t.Logf("%s was asked for, though it need not be", what)
			case !used && !known:
				c.t.Errorf("nothing has asked for verb %s of %+v: why is it granted?", verb, rule)
			}
		}
	}
}

// With any verb of the generated Role taken away, exactly the rights that it is
// for are missing, and check names each, going by the list that the Role is made
// from. What hits the gap without check names it too. That each is used at all,
// whatever that list says, is for TestGeneratedRoleIsEnough to see.
func TestEachVerbOfTheGeneratedRoleIsNeeded(t *testing.T) {
	s := open(t, shop.Options{})
	c := s.cripple(s.generatedAccount(), false)

	verbs := 0
	for at, rule := range c.role.Rules {
		for _, verb := range rule.Verbs {
			c.missesOnly(rule, verb, c.without(at, verb))
			verbs++
		}
	}
	t.Logf("%d verbs in %d rules, each taken away", verbs, len(c.role.Rules))

	// In this order: nothing is left behind before the first of them.
	for _, gap := range []struct {
		verb, resource, name string
		code                 int
		args                 []string
	}{
		{"create", "leases.coordination.k8s.io", "", rollout.CodeFailed, []string{"shift"}},
		{"create", "configmaps", "", rollout.CodeFailed, []string{"shift"}},
		{"update", "leases.coordination.k8s.io", account, rollout.CodeFailed, []string{"shift"}},
		{"get", "leases.coordination.k8s.io", account, rollout.CodeFailed, []string{"shift"}},
		{"patch", "services", shop.Service, rollout.CodeFailed, []string{"shift"}},
		{"patch", "services", shop.Service, rollout.CodeFailed, []string{"stop", "why"}},
		{"patch", "deployments.apps", shop.Deployment(shop.Blue), rollout.CodeFailed, []string{"shift"}},
		{"update", "configmaps", account, rollout.CodeFailed, []string{"shift"}},
		{"get", "configmaps", "", rollout.CodeFailed, []string{"status"}},
		{"list", "configmaps", "", rollout.CodeFailed, []string{"history"}},
		{"get", "services", shop.Service, rollout.CodeFailed, []string{"rollback"}},
		{"list", "endpointslices.discovery.k8s.io", "", rollout.CodeFailed, []string{"explain", "route"}},
		{"list", "pods", "", rollout.CodeFailed, []string{"explain", "route"}},
		{"get", "deployments.apps", shop.Deployment(shop.Blue), rollout.CodeFailed, []string{"shift", "--dry-run=client"}},
		{"create", "services", "svc-" + shop.Green, rollout.CodeFailed, []string{"shift", "--dry-run=server"}},
		{"create", "deployments.apps", shop.Deployment(shop.Green), rollout.CodeFailed, []string{"shift", "--dry-run=server"}},
		{"patch", "services", "svc-" + shop.Green, rollout.CodeFailed, []string{"shift", "--dry-run=server"}},
		{"get", "poddisruptionbudgets.policy", shop.Deployment(shop.Green), rollout.CodeFailed, []string{"shift", "--dry-run=server"}},
		{"create", "poddisruptionbudgets.policy", shop.Deployment(shop.Green), rollout.CodeFailed, []string{"shift", "--dry-run=server"}},
		{"patch", "poddisruptionbudgets.policy", shop.Deployment(shop.Green), rollout.CodeFailed, []string{"shift", "--dry-run=server"}},
		{"get", "secrets", "bluegreen-monitor", rollout.CodeBlocked, []string{"db", "budget"}},
		// The rest is hit in phases that a shift does not come to.
		{"get", "pods/log", "", rollout.CodeBlocked, []string{"shift"}},
	} {
		rule := c.holding(gap.verb, gap.resource, gap.name)
		c.without(rule, gap.verb)
		result := s.run(gap.code, append(gap.args, "--kubeconfig", c.kubeconfig)...)
		says(t, result.Stderr, fmt.Sprintf("verb %s on resource %s", gap.verb, gap.resource))
	}
	// Whose stamp an object carries is asked where it is none of this release's.
	c.without(c.holding("list", "leases.coordination.k8s.io", ""), "list")
	s.byHand("annotate", "--overwrite", "service", shop.Service, cluster.AnnotationEpoch+"=1", cluster.AnnotationHolder+"=another")
	says(t, s.run(rollout.CodeFailed, "shift", "--kubeconfig", c.kubeconfig).Stderr, "verb list on resource leases", "generate rbac")
	s.serves(shop.Blue)
}

// What init and a command without a document can't do, they say; what a release
// can do without is a warning.
func TestWhatTheRoleCanDoWithoutIsAWarning(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	c := s.cripple(s.generatedAccount("--live"), true)
	c.without(c.holding("list", "services", ""), "list")
	result := s.run(rollout.CodeFailed, "init", "svc/"+shop.Service, "-n", s.shop.Namespace, "-f", "found.yaml", "--kubeconfig", c.kubeconfig)
	says(t, result.Stderr, "verb list on resource services")
	finding := findingOf(t, s.checked(rollout.CodeDone, "--kubeconfig", c.kubeconfig), "BG-COL-07")
	if finding.Outcome != preflight.Warn {
		t.Errorf("without the right to discover: %+v, want a warning", finding)
	}
	says(t, finding.Cause, "verb list on resource services is not granted; without it, init discovers nothing")
}

// generatedAccount applies what generate rbac writes and logs in as the account
// that it makes.
func (s *scenario) generatedAccount(flags ...string) string {
	s.t.Helper()
	s.applyGenerated(append([]string{"rbac"}, flags...)...)
	path, err := lab.Current(s.t).KubeconfigOf(s.t.Context(), s.shop.Namespace, account)
	if err != nil {
		s.t.Fatal(err)
	}
	return path
}

// applyGenerated applies what a generator writes, and takes away with the test
// what of it is not in the shop's namespace.
func (s *scenario) applyGenerated(generator ...string) {
	s.t.Helper()
	generated := s.run(rollout.CodeDone, append([]string{"generate"}, generator...)...)
	file := filepath.Join(s.shop.Folder, generator[0]+".yaml")
	if err := os.WriteFile(file, []byte(generated.Stdout), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.byHand("apply", "-f", file)
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), hang)
		defer cancel()
		kubectl := exec.CommandContext(ctx, "kubectl", "--kubeconfig", place(s.t).Kubeconfig, "delete", "--ignore-not-found", "--wait=false", "-f", file)
		if output, err := kubectl.CombinedOutput(); err != nil {
			s.t.Errorf("take away %s: %v\n%s", file, err, output)
		}
	})
}

// crippled is an account whose Role can be cut, and what the Role is made for.
type crippled struct {
	*scenario
	kubeconfig string
	role       *rbacv1.Role
	rights     []preflight.Right
	release    *release.Release
	// self asks the API server as the account.
	self *cluster.Client
}

// cripple takes the account of generate rbac, with --live or without.
func (s *scenario) cripple(kubeconfig string, live bool) *crippled {
	s.t.Helper()
	c := &crippled{scenario: s, kubeconfig: kubeconfig}
	var err error
	if c.role, err = place(s.t).Client.Kubernetes.RbacV1().Roles(s.shop.Namespace).Get(s.t.Context(), account, metav1.GetOptions{}); err != nil {
		s.t.Fatal(err)
	}
	loaded, err := release.Load(filepath.Join(s.shop.Folder, "bluegreen.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	c.release = loaded.Release
	inputs := preflight.Inputs{Release: loaded.Release, Manifests: map[string][]string{}}
	for _, color := range loaded.Release.Spec.ColorNames() {
		inputs.Manifests[color] = loaded.Manifests(color)
	}
	if live {
		inputs.Client = place(s.t).Client
		if inputs.Live, err = preflight.ReadLive(s.t.Context(), inputs); err != nil {
			s.t.Fatal(err)
		}
	}
	if c.rights, err = preflight.Rights(inputs); err != nil {
		s.t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		s.t.Fatal(err)
	}
	config.QPS = -1 // some thousand questions
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		s.t.Fatal(err)
	}
	c.self = &cluster.Client{Kubernetes: client}
	return c
}

// holding is the number of the rule that grants a verb on a resource, written
// as people do, of a name or of any.
func (c *crippled) holding(verb, resource, name string) int {
	c.t.Helper()
	kind, group, _ := strings.Cut(resource, ".")
	at := slices.IndexFunc(c.role.Rules, func(rule rbacv1.PolicyRule) bool {
		named := len(rule.ResourceNames) == 0 && name == "" || slices.Contains(rule.ResourceNames, name)
		return named && slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, kind) && slices.Contains(rule.Verbs, verb)
	})
	if at < 0 {
		c.t.Fatalf("no rule grants verb %s on %s %q", verb, resource, name)
	}
	return at
}

// known bounds the wait for the API server to know of a changed Role or policy,
// rolePoll is the time between two looks.
const known, rolePoll = 30 * time.Second, 100 * time.Millisecond

// without gives the account its Role but for one verb of one rule. It returns
// what the API server says of every right, once that is all that is missing,
// and fails the test when it does not come to that.
func (c *crippled) without(at int, verb string) []cluster.Access {
	c.t.Helper()
	cut := c.role.DeepCopy()
	cut.ResourceVersion = ""
	rule := &cut.Rules[at]
	rule.Verbs = slices.DeleteFunc(rule.Verbs, func(one string) bool { return one == verb })
	if len(rule.Verbs) == 0 {
		cut.Rules = slices.Delete(cut.Rules, at, at+1)
	}
	if _, err := place(c.t).Client.Kubernetes.RbacV1().Roles(cut.Namespace).Update(c.t.Context(), cut, metav1.UpdateOptions{}); err != nil {
		c.t.Fatal(err)
	}
	var wants []authorizationv1.ResourceAttributes
	for _, right := range c.rights {
		wants = append(wants, right.ResourceAttributes)
	}
	var answers []cluster.Access
	err := wait.PollUntilContextTimeout(c.t.Context(), rolePoll, known, true, func(ctx context.Context) (settled bool, err error) {
		answers, err = c.self.Allowed(ctx, wants)
		return err == nil && !slices.ContainsFunc(answers, func(answer cluster.Access) bool {
			return answer.Allowed == c.grants(c.role.Rules[at], verb, answer.ResourceAttributes)
		}), err
	})
	if err != nil {
		c.t.Errorf("without verb %s of %+v it is not just what that is for that is missing: %v", verb, c.role.Rules[at], err)
	}
	return answers
}

// grants reports whether a verb of a rule grants a right.
func (c *crippled) grants(rule rbacv1.PolicyRule, verb string, right authorizationv1.ResourceAttributes) bool {
	resource := right.Resource
	if right.Subresource != "" {
		resource += "/" + right.Subresource
	}
	return right.Verb == verb && right.Namespace == c.role.Namespace && slices.Contains(rule.APIGroups, right.Group) &&
		slices.Contains(rule.Resources, resource) && (len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, right.Name))
}

// missesOnly fails the test unless BG-COL-07 names every right that a verb of a
// rule is for, as weighty as it is, and no other.
func (c *crippled) missesOnly(rule rbacv1.PolicyRule, verb string, answers []cluster.Access) {
	c.t.Helper()
	facts := &preflight.Facts{Stage: preflight.StageDeploy, Release: c.release, Namespace: c.shop.Namespace}
	facts.Access.Known = true
	want := map[string]preflight.Outcome{}
	for index, answer := range answers {
		right := c.rights[index]
		facts.Access.Value = append(facts.Access.Value, preflight.Grant{Access: answer, Without: right.Without})
		if !c.grants(rule, verb, right.ResourceAttributes) {
			continue
		}
		cause, outcome := fmt.Sprintf("verb %s on resource %s is not granted", verb, cluster.ResourceOf(right.ResourceAttributes)), preflight.Fail
		if right.Without != "" {
			cause, outcome = cause+"; without it, "+right.Without, preflight.Warn
		}
		want[cause] = outcome
	}
	if len(want) == 0 {
		c.t.Errorf("verb %s of %+v is for no right", verb, rule)
	}
	got := map[string]preflight.Outcome{}
	checks := preflight.Catalogue()
	access := slices.IndexFunc(checks, func(check preflight.Check) bool { return check.ID == "BG-COL-07" })
	for _, finding := range checks[access].Evaluate(facts) {
		got[finding.Cause] = finding.Outcome
	}
	if difference := cmp.Diff(want, got); difference != "" {
		c.t.Errorf("without verb %s of %+v check says (+) and should say (-):\n%s", verb, rule, difference)
	}
}
