package custom

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// shop are facts of a release whose blue side is live, and of whose pods, alerts
// and rights nothing is known.
func shop() *preflight.Facts {
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "store"}, Spec: release.Spec{
		Colors: map[string]release.Color{
			"blue":  {Workloads: []release.Workload{{Kind: "deployment", Name: "shop-blue"}}},
			"green": {Workloads: []release.Workload{{Kind: "deployment", Name: "shop-green"}}},
		},
		Databases: []release.Database{{Name: "main"}},
	}}
	release.ApplyDefaults(rel)
	facts := &preflight.Facts{
		Time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Stage: preflight.StageDeploy,
		Release: rel, Namespace: "store", Target: "green", Colors: map[string]preflight.Color{},
		Route:  known(preflight.Route{Live: "blue"}),
		Access: preflight.Fact[[]preflight.Grant]{Problem: "the API server does not answer", Remedy: "wait for it", Transient: true},
		Databases: map[string]preflight.Database{"main": {Session: true, Target: "db", Snapshot: known(postgres.Snapshot{
			Version: 160004, Limits: postgres.Limits{MaxConnections: 100}, SeesSessions: false,
		})}},
		Monitoring: preflight.Monitoring{Declared: true, Requests: map[string]measure.Reading{"blue": {State: measure.OK, Value: 12.5}, "green": {State: measure.NoData, Detail: "nothing scraped green"}}},
	}
	for name, declared := range rel.Spec.Colors {
		color := preflight.Color{Name: name, Declared: declared}
		color.Workloads = known([]cluster.Workload{{
			Ref: declared.Workloads[0], Replicas: 2, Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"version": name}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "app", Image: "registry.example.com/shop:v2", Env: []corev1.EnvVar{{Name: "PIN", Value: "canary-5b1f2a"}},
					Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")}},
				}}},
			},
		}})
		facts.Colors[name] = color
	}
	return facts
}

// compiled makes a check of one expression.
func compiled(t *testing.T, declared release.CustomCheck) preflight.Check {
	t.Helper()
	declared.ID, declared.Title = "SHOP-01", "all is well"
	checks, err := Compile([]release.DeclaredCheck{{CustomCheck: declared}}, shop().Release)
	if err != nil {
		t.Fatal(err)
	}
	return checks[0]
}

func TestWhatAnExpressionFinds(t *testing.T) {
	for name, test := range map[string]struct {
		expression string
		want       preflight.Outcome
		cause      string
	}{
		"it holds":                        {`target == "green" && live == "blue" && release.metadata.namespace == "store"`, preflight.Pass, "the expression is true"},
		"it doesn't":                      {`target == "blue"`, preflight.Fail, "it does not hold that all is well"},
		"objects of Kubernetes":           {`colors[target].workloads.all(w, w.template.spec.containers.all(c, c.image.startsWith("registry.example.com/")))`, preflight.Pass, "the expression is true"},
		"a quantity":                      {`colors.green.workloads.all(w, w.template.spec.containers.all(c, quantity(c.resources.limits["memory"]) <= 536870912.0))`, preflight.Pass, "the expression is true"},
		"equal objects":                   {`colors.blue.workloads[0].template.spec == colors.green.workloads[0].template.spec`, preflight.Pass, "the expression is true"},
		"other objects":                   {`colors.blue.workloads[0].template == colors.green.workloads[0].template`, preflight.Fail, "it does not hold that all is well"},
		"durations and times":             {`release.spec.traffic.watch >= duration("10m") && now > timestamp("2026-01-01T00:00:00Z")`, preflight.Pass, "the expression is true"},
		"a day of the week":               {`now.getDayOfWeek() in [5, 6]`, preflight.Fail, "it does not hold that all is well"},
		"libraries":                       {`sets.contains(["a", "b"], ["a"]) && ["a", "b"].join("-").upperAscii() == "A-B" && [[1], [2]].flatten() == [1, 2]`, preflight.Pass, "the expression is true"},
		"what is declared not to be":      {`!has(colors.green.service)`, preflight.Pass, "the expression is true"},
		"a limit":                         {`databases["main"].limits.maxConnections >= 100`, preflight.Pass, "the expression is true"},
		"a reading":                       {`monitoring.colors.blue.requestRate > 10.0`, preflight.Pass, "the expression is true"},
		"a field that is left out":        {`colors.green.workloads[0].template.spec.hostNetwork`, preflight.Unknown, "the expression can't be evaluated: colors.green.workloads[0].template.spec.hostNetwork is not there"},
		"no such key":                     {`colors.green.workloads[0].template.metadata.labels.team == "shop"`, preflight.Unknown, "the expression can't be evaluated: no such key: team"},
		"no such colour":                  {`colors[live + "2"].name == "red"`, preflight.Unknown, "the expression can't be evaluated: no such key: blue2"},
		"a colour that is asked for":      {`!has(colors.red) && ("red" in colors ? monitoring.colors["red"].requestRate > 1.0 : true)`, preflight.Pass, "the expression is true"},
		"a loop over another map":         {`{"red": 1}.all(colors, colors == "red")`, preflight.Pass, "the expression is true"},
		"a fact that is not known":        {`rights.all(r, r.allowed)`, preflight.Unknown, "rights is not known: the API server does not answer"},
		"has of it":                       {`!has(colors.green.pods)`, preflight.Unknown, "colors.green.pods is not known: it was not looked at"},
		"its size":                        {`size(colors.green.pods) == 0`, preflight.Unknown, "colors.green.pods is not known: it was not looked at"},
		"its absence":                     {`colors.green.pods != []`, preflight.Unknown, "colors.green.pods is not known: it was not looked at"},
		"another way to it":               {`[colors.green].exists(c, c.pods.size() == 0)`, preflight.Unknown, "colors.green.pods is not known: it was not looked at"},
		"a comparison with it inside":     {`colors.green == colors.green`, preflight.Unknown, "the expression can't be evaluated: colors.green can't be compared as a whole: compare its fields"},
		"no data":                         {`monitoring.colors.green.requestRate == 0.0`, preflight.Unknown, "monitoring.colors.green.requestRate is not known: nothing scraped green"},
		"sessions that may not be seen":   {`databases.main.sessions.size() == 0`, preflight.Unknown, "databases.main.sessions is not known: the observer may not see the sessions of others: grant it pg_monitor"},
		"decided without what is unknown": {`target == "blue" && rights.all(r, r.allowed)`, preflight.Fail, "it does not hold that all is well"},
		"true without what is unknown":    {`target == "green" || rights.all(r, r.allowed)`, preflight.Pass, "the expression is true"},
		"division by zero":                {`1 / (size(target) - 5) == 1`, preflight.Unknown, "the expression can't be evaluated: division by zero"},
	} {
		t.Run(name, func(t *testing.T) {
			got := compiled(t, release.CustomCheck{Expression: test.expression}).Evaluate(shop())[0]
			if diff := cmp.Diff([]string{string(test.want), test.cause}, []string{string(got.Outcome), got.Cause}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMistakesAreRefusedWhereTheyStand: every expression is in a block of YAML
// that begins in line 6, column 5.
func TestMistakesAreRefusedWhereTheyStand(t *testing.T) {
	const head = "apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSet\nchecks:\n- id: SHOP-01\n  title: t\n  expression: |\n    "
	loops := strings.Repeat("release.spec.colors.all(a%, ", 5)
	for number := range 5 {
		loops = strings.Replace(loops, "%", string(rune('a'+number)), 1)
	}
	for name, test := range map[string]struct{ expression, want, hint string }{
		"a variable that there is not": {"live == target &&\n    tarket == live", `8:5: checks[0].expression: nothing is called "tarket"`, `did you mean "target"?`},
		"a field that there is not":    {"colors.all(c, colors[c].workloads.all(w,\n      w.replicaz > 1))", `8:8: checks[0].expression: there is no field "replicaz"`, `did you mean "replicas"?`},
		"a field that others have":     {"colors.green.workload.all(w, w.replicas <= 3)", `7:17: checks[0].expression: there is no field "workload"`, `did you mean "workloads"?`},
		"one of a container":           {"colors.green.pods.all(p, p.spec.containers.all(c, has(c.resources.limit)))", `7:58: checks[0].expression: there is no field "limit"`, `did you mean "limits"?`},
		"one of a pod":                 {"colors.blue.pods.all(p, p.spec.container.size() > 0)", `7:35: checks[0].expression: there is no field "container"`, `did you mean "containers"?`},
		"a field of Kubernetes":        {"colors.blue.pods.all(p, p.spec.containrs.size() > 0)", `7:35: checks[0].expression: there is no field "containrs"`, `did you mean "containers"?`},
		"a colour that there is not":   {"colors.gren.workloads.all(w, w.replicas <= 3)", `7:11: checks[0].expression: the Release has no colour "gren"`, `did you mean "green"?`},
		"one in brackets":              {"colors[\"gren\"].workloads.all(w,\n      w.replicas <= 3)", `7:12: checks[0].expression: the Release has no colour "gren"`, `did you mean "green"?`},
		"one of the metrics":           {"monitoring.colors.red.requestRate > 1.0", `7:22: checks[0].expression: the Release has no colour "red"`, "it has blue and green"},
		"one of the document":          {"has(release.spec.colors.gren.service)", `7:28: checks[0].expression: the Release has no colour "gren"`, `did you mean "green"?`},
		"a database that there is not": {"databases.mian.version > 150000", `7:14: checks[0].expression: the Release has no database "mian"`, `did you mean "main"?`},
		"no grammar":                   {"live ==", `7:12: checks[0].expression: is not CEL as it is expected here: Syntax error: mismatched input '<EOF>'`, ""},
		"a function that there is not": {"live.startWith('b')", `7:19: checks[0].expression: nothing is called "startWith"`, "what there is: docs/custom-checks.md"},
		"another result":               {"live", `7:5: checks[0].expression: the result is string; bool was expected`, ""},
		"another type inside":          {"live == 1", `7:10: checks[0].expression: is not CEL as it is expected here: found no matching overload for '_==_' applied to '(string, int)'`, ""},
		"loops without an end":         {loops + "true" + strings.Repeat(")", 5), `7:5: checks[0].expression: may cost `, "have fewer loops inside of loops"},
		"a growing text":               {"live.replace('b', live + live) == live", `7:28: checks[0].expression: is not CEL as it is expected here: what is inserted must be a text in quotes of at most 64 bytes`, ""},
		"a growing join":               {"['a'].join(live) == live", `7:16: checks[0].expression: is not CEL as it is expected here: what is inserted must be`, ""},
		"a growing list":               {"[[1]].map(x, x + x).map(x, x + x).size() == 1", `7:20: checks[0].expression: is not CEL as it is expected here: lists and values of any type`, ""},
		"a growing list, hidden":       {"[dyn([1])].map(x, x + x).size() == 1", `7:25: checks[0].expression: is not CEL as it is expected here: lists and values of any type`, ""},
		"a format":                     {"'%s'.format([live]) == live", `7:16: checks[0].expression: is not CEL as it is expected here: format is not offered`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			declared, err := release.ParseChecks("set.yaml", []byte(head+test.expression+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Compile(declared, shop().Release)
			var problems release.Problems
			if !errors.As(err, &problems) || !strings.HasPrefix(problems[0].Error(), "set.yaml:"+test.want) || problems[0].Remedy != test.hint {
				t.Errorf("got %v (%s)\nwant %s (%s)", err, release.HintOf(err), test.want, test.hint)
			}
		})
	}
}

// TestWhatCostsTooMuchIsUnknown: what the estimate could not see ends by the limit
// of the evaluation, or of its time.
func TestWhatCostsTooMuchIsUnknown(t *testing.T) {
	facts := shop()
	color := facts.Colors["green"]
	for range 3000 {
		color.Workloads.Value = append(color.Workloads.Value, cluster.Workload{Ref: release.Workload{Kind: "deployment", Name: "other"}})
	}
	facts.Colors["green"] = color
	checks, err := compile([]release.DeclaredCheck{{CustomCheck: release.CustomCheck{ID: "SHOP-01", Title: "t", Severity: release.SeverityCritical,
		Expression: "colors.green.workloads.all(a, colors.green.workloads.all(b, a.name + b.name != 'x'))"}}}, facts.Release, time.Minute) // as long as this machine needs
	if err != nil {
		t.Fatal(err)
	}
	got := checks[0].Evaluate(facts)[0]
	if got.Outcome != preflight.Unknown || !strings.Contains(got.Cause, "actual cost limit exceeded") {
		t.Errorf("got %s: %s", got.Outcome, got.Cause)
	}

	checks, err = compile([]release.DeclaredCheck{{CustomCheck: release.CustomCheck{ID: "SHOP-01", Title: "t", Expression: "true"}}}, facts.Release, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := checks[0].Evaluate(facts)[0]; got.Outcome != preflight.Unknown || got.Cause != "the expression can't be evaluated: it takes longer than 0s" {
		t.Errorf("out of time it is %s: %s", got.Outcome, got.Cause)
	}
}

// TestWhatIsSaidOfAFailure: the message, or what the message's expression makes of
// what was seen, which holds no secret.
func TestWhatIsSaidOfAFailure(t *testing.T) {
	for name, test := range map[string]struct {
		declared release.CustomCheck
		want     preflight.Outcome
		cause    string
	}{
		"a message":               {release.CustomCheck{Message: "not now"}, preflight.Fail, "not now"},
		"a warning":               {release.CustomCheck{Message: "not now", Severity: release.SeverityWarn}, preflight.Warn, "not now"},
		"an expression":           {release.CustomCheck{MessageExpression: `"moves " + live + " to " + target`}, preflight.Fail, "moves blue to green"},
		"one that can't be made":  {release.CustomCheck{MessageExpression: `rights[0].verb`}, preflight.Fail, "it does not hold that all is well"},
		"the value of a variable": {release.CustomCheck{MessageExpression: `colors.green.workloads[0].template.spec.containers[0].env[0].value.substring(0, 7)`}, preflight.Fail, "hidden:"},
	} {
		t.Run(name, func(t *testing.T) {
			test.declared.Expression = "false"
			got := compiled(t, test.declared).Evaluate(shop())[0]
			if got.Outcome != test.want || got.Cause != test.cause {
				t.Errorf("got %s: %s", got.Outcome, got.Cause)
			}
		})
	}
}

// TestAWarningNeverBlocks: neither under require: production; a critical check
// that is not known does.
func TestWhatBlocks(t *testing.T) {
	for name, test := range map[string]struct {
		severity, expression string
		blocks               bool
	}{
		"a warning":         {release.SeverityWarn, "false", false},
		"a failure":         {"", "false", true},
		"unknown":           {"", "rights.size() > 0", false},
		"unknown, critical": {release.SeverityCritical, "rights.size() > 0", true},
		"a pass, critical":  {release.SeverityCritical, "true", false},
	} {
		t.Run(name, func(t *testing.T) {
			report := preflight.Evaluate(shop(), []preflight.Check{compiled(t, release.CustomCheck{Severity: test.severity, Expression: test.expression})}, preflight.StageDeploy)
			if report.Blocked() != test.blocks {
				t.Errorf("it blocks: %t: %+v", report.Blocked(), report.Findings)
			}
		})
	}
}

// TestOnAPullRequestNothingIsEmpty: what the stage does not look at is not known.
func TestOnAPullRequestNothingIsEmpty(t *testing.T) {
	facts := shop()
	facts.Stage, facts.Databases, facts.Monitoring, facts.Route = preflight.StagePR, nil, preflight.Monitoring{}, preflight.Fact[preflight.Route]{}
	for _, expression := range []string{"databases.all(d, false)", "monitoring.colors.size() == 0", "live == ''", "nodes == []", "autoscalers.size() == 0", "!has(route.affinity)"} {
		check := compiled(t, release.CustomCheck{Expression: expression, Stages: []string{"pr"}})
		if got := check.Evaluate(facts)[0]; got.Outcome != preflight.Unknown || !strings.HasSuffix(got.Cause, "is not known: it was not looked at") {
			t.Errorf("%s: %s: %s", expression, got.Outcome, got.Cause)
		}
	}
}

// TestNothingDeclaredCostsNothing: no environment is set up.
func TestNothingDeclaredCostsNothing(t *testing.T) {
	if allocations := testing.AllocsPerRun(10, func() {
		if checks, err := Compile(nil, nil); checks != nil || err != nil {
			t.Error(checks, err)
		}
	}); allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}

// FuzzCompile throws expressions at Compile and evaluates what it accepts: it
// never panics, and a mistake has a place within the text.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{"true", "colors.all(c, colors[c].pods.size() > 0)", "[1].map(x, [x]).flatten() == [1]", "'a'.replace('a', 'b') == live",
		"release.spec.traffic.watch > duration('1s')", "rights[0].verb", "now.getHours() in [1]", "dyn(route)['split'] == {}", "live ==", "\n\n 'é' == tarket"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		declared := release.DeclaredCheck{CustomCheck: release.CustomCheck{ID: "SHOP-01", Title: "t", Expression: text}}
		checks, err := Compile([]release.DeclaredCheck{declared}, shop().Release)
		var problems release.Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Fatalf("the error is %v", err)
		}
		for _, check := range checks {
			if findings := check.Evaluate(shop()); findings[0].Cause == "" {
				t.Errorf("%q says nothing", text)
			}
		}
	})
}
