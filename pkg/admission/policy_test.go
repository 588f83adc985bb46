package admission

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

func shop(blue, green map[string]string) *release.Release {
	return &release.Release{
		Metadata: release.Metadata{Name: "web", Namespace: "shop"},
		Spec: release.Spec{
			Colors:  map[string]release.Color{"blue": {Selector: blue}, "green": {Selector: green}},
			Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}},
		},
	}
}

func oneKey() *release.Release {
	return shop(map[string]string{"version": "blue"}, map[string]string{"version": "green"})
}

func evaluatorOf(t *testing.T, rel *release.Release) evaluator {
	t.Helper()
	guards, err := Guards(rel, []string{BreakGlassGroup, "pagers"})
	if err != nil {
		t.Fatal(err)
	}
	return evaluator{t: t, policy: guards[0].Policy, programs: map[string]cel.Program{}}
}

// production is the route on blue at epoch 7 of ana, as a run left it that
// came from green.
func production() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "svc-production", Namespace: "shop", ResourceVersion: "41", Annotations: map[string]string{
			cluster.AnnotationEpoch: "7", cluster.AnnotationHolder: "ana@laptop/1",
			cluster.AnnotationPrevious: "green=100", cluster.AnnotationSwitched: "40",
		}},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": "blue"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}
}

// The rules, by their number.
const (
	stampRule = iota
	holderRule
	splitRule
)

// set is a change of an annotation, remove its removal.
func set(key, value string) func(*corev1.Service) {
	return func(s *corev1.Service) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) }
}

func remove(key string) func(*corev1.Service) {
	return func(s *corev1.Service) { delete(s.Annotations, key) }
}

func to(version string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Selector["version"] = version }
}

func plain(s *corev1.Service)      { s.Annotations = nil }
func unlabelled(s *corev1.Service) { delete(s.Spec.Selector, "version") }

func TestPolicy(t *testing.T) {
	type changes = []func(*corev1.Service)
	switched := changes{to("green"), set(cluster.AnnotationPrevious, "blue=100"), set(cluster.AnnotationSwitched, "41")}
	with := func(more ...func(*corev1.Service)) changes { return append(append(changes{}, switched...), more...) }
	for name, test := range map[string]struct {
		before, after changes
		groups        []string
		refused       []int
		noted         bool
	}{
		"nothing changes":           {},
		"a first stamp":             {before: changes{plain}, after: changes{set(cluster.AnnotationEpoch, "1"), set(cluster.AnnotationHolder, "ana")}},
		"a takeover":                {after: changes{set(cluster.AnnotationEpoch, "8"), set(cluster.AnnotationHolder, "bob")}},
		"a number with more digits": {after: changes{set(cluster.AnnotationEpoch, "10"), set(cluster.AnnotationHolder, "bob")}},
		"a stale epoch":             {after: changes{set(cluster.AnnotationEpoch, "6")}, refused: []int{stampRule}},
		"a stale switch":            {after: with(set(cluster.AnnotationEpoch, "6"), set(cluster.AnnotationHolder, "bob")), refused: []int{stampRule}},
		"no stamp any more":         {after: changes{remove(cluster.AnnotationEpoch)}, refused: []int{stampRule}},
		"no annotations at all":     {after: changes{plain}, refused: []int{stampRule}},
		"a stamp in words":          {after: changes{set(cluster.AnnotationEpoch, "seven")}, refused: []int{stampRule}},
		"a stamp below zero":        {after: changes{set(cluster.AnnotationEpoch, "-8")}, refused: []int{stampRule}},
		"a stamp beyond numbers":    {after: changes{set(cluster.AnnotationEpoch, strings.Repeat("9", 40))}, refused: []int{stampRule}},
		"words are put right":       {before: changes{set(cluster.AnnotationEpoch, "seven")}, after: changes{set(cluster.AnnotationEpoch, "1")}},
		"another holder":            {after: changes{set(cluster.AnnotationHolder, "bob")}, refused: []int{holderRule}},
		"no holder any more":        {after: changes{remove(cluster.AnnotationHolder)}, refused: []int{holderRule}},

		"a switch":                             {after: with()},
		"a switch at the takeover":             {after: with(set(cluster.AnnotationEpoch, "8"), set(cluster.AnnotationHolder, "bob"))},
		"a switch that answers a stop":         {before: changes{set(cluster.AnnotationStop, "why")}, after: with(remove(cluster.AnnotationStop))},
		"a switch without a stamp":             {before: changes{plain}, after: with(), refused: []int{splitRule}},
		"an edit of the selector":              {after: changes{to("green")}, refused: []int{splitRule}},
		"an edit to no colour":                 {after: changes{to("purple")}, refused: []int{splitRule}},
		"the label is taken away":              {after: changes{unlabelled}, refused: []int{splitRule}},
		"the selector is taken away":           {after: changes{func(s *corev1.Service) { s.Spec.Selector = nil }}, refused: []int{splitRule}},
		"an edit of a route that no run moved": {before: changes{plain}, after: changes{to("green")}, refused: []int{splitRule}},
		// A hand has put the selector back past the policy: what the last switch
		// recorded fits by accident, but for the version.
		"an edit that fits by accident": {before: changes{set(cluster.AnnotationPrevious, "blue=100")}, after: changes{to("green")}, refused: []int{splitRule}},
		"a switch that forgets whence":  {after: changes{to("green"), set(cluster.AnnotationSwitched, "41")}, refused: []int{splitRule}},
		"a switch of an older version":  {after: with(set(cluster.AnnotationSwitched, "39")), refused: []int{splitRule}},
		"an edit of both":               {after: changes{to("green"), set(cluster.AnnotationEpoch, "1")}, refused: []int{stampRule, splitRule}},
		"a broken route is mended":      {before: changes{unlabelled}, after: changes{to("green")}},
		"a broken route stays broken":   {before: changes{unlabelled}, after: changes{to("purple")}},

		"a port":                              {after: changes{func(s *corev1.Service) { s.Spec.Ports[0].Port = 8080 }}},
		"a label":                             {after: changes{func(s *corev1.Service) { s.Labels = map[string]string{"team": "a"} }}},
		"another selector key":                {after: changes{func(s *corev1.Service) { s.Spec.Selector["tier"] = "web" }}},
		"another annotation":                  {after: changes{set("team", "a")}},
		"a stop":                              {after: changes{set(cluster.AnnotationStop, "orders are doubled")}},
		"a stop of a route that no run moved": {before: changes{plain}, after: changes{set(cluster.AnnotationStop, "not today")}},
		"a stop is lifted":                    {before: changes{set(cluster.AnnotationStop, "why")}, after: changes{remove(cluster.AnnotationStop)}},

		"an edit in an emergency":     {after: changes{to("green")}, groups: []string{BreakGlassGroup}, noted: true},
		"a stamp in an emergency":     {after: changes{remove(cluster.AnnotationEpoch)}, groups: []string{"dev", "pagers"}, noted: true},
		"a label in an emergency":     {after: changes{set("team", "a")}, groups: []string{BreakGlassGroup}},
		"an edit by some other group": {after: changes{to("green")}, groups: []string{"bluegreen:break-glass-2", "system:masters"}, refused: []int{splitRule}},
	} {
		t.Run(name, func(t *testing.T) {
			before := production()
			for _, change := range test.before {
				change(before)
			}
			after := before.DeepCopy()
			for _, change := range test.after {
				change(after)
			}
			got := evaluatorOf(t, oneKey()).judge(update{before: before, after: after, user: "ana", groups: test.groups})
			if diff := cmp.Diff(test.refused, got.refused); diff != "" {
				t.Errorf("%s%q", diff, got.messages)
			}
			if (got.noted != "") != test.noted {
				t.Errorf("the audit log says %q", got.noted)
			}
		})
	}
}

// A refusal says what is guarded, what the write would do, and what to type.
func TestRefusalsSayWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.Service)
		want   string
	}{
		"stamp": {set(cluster.AnnotationEpoch, "6"), "service/svc-production is at epoch 7 of ana@laptop/1, which never goes back, and this write has epoch 6: " +
			"it is that of a run which was taken over, or an edit by hand; see: kubectl bluegreen -n shop status"},
		"no stamp": {remove(cluster.AnnotationEpoch), "service/svc-production is at epoch 7 of ana@laptop/1, which never goes back, and this write has none: " +
			"it is that of a run which was taken over, or an edit by hand; see: kubectl bluegreen -n shop status"},
		"holder": {set(cluster.AnnotationHolder, "bob"), "service/svc-production is at epoch 7 of ana@laptop/1, and another holder needs a higher one; see: kubectl bluegreen -n shop status"},
		"split": {to("green"), "the split of service/svc-production is moved by kubectl bluegreen, and this write moves it from blue=100 to green=100 without it; " +
			"use: kubectl bluegreen -n shop shift service/svc-production, or rollback service/svc-production; in an emergency, by kubectl with: --as=ana --as-group=bluegreen:break-glass"},
		"no split": {unlabelled, "the split of service/svc-production is moved by kubectl bluegreen, and this write moves it from blue=100 to no clear colour without it; " +
			"use: kubectl bluegreen -n shop shift service/svc-production, or rollback service/svc-production; in an emergency, by kubectl with: --as=ana --as-group=bluegreen:break-glass"},
	} {
		t.Run(name, func(t *testing.T) {
			after := production()
			test.change(after)
			got := evaluatorOf(t, oneKey()).judge(update{before: production(), after: after, user: "ana"})
			if diff := cmp.Diff([]string{test.want}, got.messages); diff != "" {
				t.Error(diff)
			}
		})
	}
	after := production()
	to("green")(after)
	noted := evaluatorOf(t, oneKey()).judge(update{before: production(), after: after, user: "ana", groups: []string{"pagers"}}).noted
	if want := "ana moved service/svc-production from blue=100 to green=100, epoch 7 to 7"; noted != want {
		t.Errorf("the audit log says %q, want %q", noted, want)
	}
}

// Whatever a run writes by the driver passes: the takeover, the switch, the way
// back, the takeover by another run, its way back.
func TestWhatTheDriverWritesPasses(t *testing.T) {
	for name, rel := range map[string]*release.Release{
		"one key":   oneKey(),
		"more keys": shop(map[string]string{"version": "blue", "blue.example/only": "yes"}, map[string]string{"version": "green", "tier": "next"}),
	} {
		t.Run(name, func(t *testing.T) {
			selector := maps.Clone(rel.Spec.Colors["blue"].Selector)
			selector["app"] = "shop"
			client, clientset := clustertest.New(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc-production", Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: selector}})
			router, err := traffic.NewRouter(client, rel, clock.RealClock{})
			if err != nil {
				t.Fatal(err)
			}
			evaluator := evaluatorOf(t, rel)
			read := func() *corev1.Service {
				service, err := clientset.CoreV1().Services("shop").Get(t.Context(), "svc-production", metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				return service
			}
			pass := func(what string, write func()) {
				t.Helper()
				before := read()
				write()
				if got := evaluator.judge(update{before: before, after: read(), user: "ana"}); got.refused != nil {
					t.Errorf("%s is refused: %q", what, got.messages)
				}
			}
			move := func(what, color string, fence cluster.Fence) {
				t.Helper()
				pass(what, func() {
					route, err := router.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					patch, err := router.Plan(route, traffic.Whole(color), fence)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := router.Write(t.Context(), patch, false); err != nil {
						t.Fatal(err)
					}
				})
			}
			ana, bob := cluster.Fence{Epoch: 1, Holder: "ana"}, cluster.Fence{Epoch: 2, Holder: "bob"}
			move("the first stamp", "blue", ana)
			move("the switch", "green", ana)
			pass("a stop", func() {
				if err := router.Stop(t.Context(), "why"); err != nil {
					t.Fatal(err)
				}
			})
			move("the way back", "blue", ana)
			move("the way there again", "green", ana)
			move("the takeover", "green", bob)
			move("its way back", "blue", bob)
			move("a switch with the takeover in it", "green", cluster.Fence{Epoch: 3, Holder: "preflight"})
		})
	}
}

func TestPolicyLooksAtTheRouteAlone(t *testing.T) {
	guards, err := Guards(oneKey(), []string{BreakGlassGroup})
	if err != nil {
		t.Fatal(err)
	}
	policy, binding := guards[0].Policy, guards[0].Binding
	constraints := policy.Spec.MatchConstraints
	rule := constraints.ResourceRules[0]
	if len(constraints.ResourceRules) != 1 || constraints.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "shop" {
		t.Errorf("constraints = %+v", constraints)
	}
	if diff := cmp.Diff([]string{"svc-production", "services", "UPDATE"}, []string{rule.ResourceNames[0], rule.Resources[0], string(rule.Operations[0])}); diff != "" ||
		len(rule.ResourceNames)+len(rule.Resources)+len(rule.Operations) != 3 {
		t.Errorf("rule = %+v", rule)
	}
	if policy.Name != "web.shop.bluegreen.dev" || binding.Spec.PolicyName != policy.Name || *policy.Spec.FailurePolicy != admissionv1.Fail {
		t.Errorf("policy %s, bound as %s, %s on failure", policy.Name, binding.Spec.PolicyName, *policy.Spec.FailurePolicy)
	}
	if diff := cmp.Diff([]admissionv1.ValidationAction{admissionv1.Deny, admissionv1.Audit}, binding.Spec.ValidationActions); diff != "" {
		t.Error(diff)
	}
}

func TestNoPolicyForNobody(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*release.Release) []string
		want   string
	}{
		"no group":       {func(*release.Release) []string { return nil }, "the name of a break-glass group is empty"},
		"an empty group": {func(*release.Release) []string { return []string{"sre", ""} }, "the name of a break-glass group is empty"},
		"everybody":      {func(*release.Release) []string { return []string{"system:authenticated"} }, "would let everybody pass"},
		"no route":       {func(rel *release.Release) []string { rel.Spec.Traffic.Service = nil; return []string{"sre"} }, "declares no route"},
		"colours that are alike": {func(rel *release.Release) []string {
			rel.Spec.Colors["green"] = rel.Spec.Colors["blue"]
			return []string{"sre"}
		}, "no label has one value for blue and another for green"},
	} {
		t.Run(name, func(t *testing.T) {
			rel := oneKey()
			groups := test.change(rel)
			if _, err := Guards(rel, groups); err == nil || !strings.Contains(err.Error(), test.want) || release.HintOf(err) == "" {
				t.Errorf("err = %v, hint %q; want %q", err, release.HintOf(err), test.want)
			}
		})
	}
}

// TestNoPolicyForARouteThatCannotBeRead: a policy that does not see the split
// would guard nothing.
func TestNoPolicyForARouteThatCannotBeRead(t *testing.T) {
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: release.Spec{
		Traffic: release.Traffic{ALBIngress: &release.NamedRoute{Name: "shop"}},
		Colors: map[string]release.Color{
			"blue":  {Service: "svc-blue", Selector: map[string]string{"version": "blue"}},
			"green": {Service: "svc-green", Selector: map[string]string{"version": "green"}},
		},
	}}
	_, err := Guards(rel, []string{BreakGlassGroup})
	if err == nil || !strings.Contains(err.Error(), "ingress/shop can't be read by an admission policy") || release.HintOf(err) == "" {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
}

// TestRefusalsNameACommandThatIsTaken: svc/NAME is an argument, and no other kind
// of route is.
func TestRefusalsNameACommandThatIsTaken(t *testing.T) {
	colors := map[string]release.Color{
		"blue":  {Service: "svc-blue", Selector: map[string]string{"version": "blue"}},
		"green": {Service: "svc-green", Selector: map[string]string{"version": "green"}},
	}
	for want, traffic := range map[string]release.Traffic{
		"kubectl bluegreen -n shop shift service/shop, or rollback service/shop": {Service: &release.ServiceRoute{Name: "shop"}},
		"kubectl bluegreen -n shop shift, or rollback":                           {HTTPRoute: &release.NamedRoute{Name: "shop"}},
	} {
		rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: release.Spec{Traffic: traffic, Colors: colors}}
		guards, err := Guards(rel, []string{BreakGlassGroup})
		if err != nil {
			t.Fatal(err)
		}
		if message := guards[0].Policy.Spec.Validations[2].Message; !strings.HasSuffix(message, "use: "+want) {
			t.Errorf("message %q, want %q at its end", message, want)
		}
	}
}

// TestEachRouteOfASetHasItsPolicy: each is looked at by one of its own name, and a
// refusal names the command that is taken for the release.
func TestEachRouteOfASetHasItsPolicy(t *testing.T) {
	rel := oneKey()
	rel.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}}
	guards, err := Guards(rel, []string{BreakGlassGroup})
	if err != nil {
		t.Fatal(err)
	}
	type about struct{ Route, Name, Bound, Looks string }
	var got []about
	for _, guard := range guards {
		got = append(got, about{guard.Route, guard.Policy.Name, guard.Binding.Spec.PolicyName, guard.Policy.Spec.MatchConstraints.ResourceRules[0].ResourceNames[0]})
		if message := guard.Policy.Spec.Validations[splitRule].Message; !strings.Contains(message, "shift service/svc-production, or rollback service/svc-production") {
			t.Errorf("%s: message %q", guard.Route, message)
		}
	}
	internal := "svc-internal.services.web.shop.bluegreen.dev"
	want := []about{
		{"service/svc-production", "web.shop.bluegreen.dev", "web.shop.bluegreen.dev", "svc-production"},
		{"service/svc-internal", internal, internal, "svc-internal"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
