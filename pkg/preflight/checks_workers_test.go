package preflight

import (
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// healthyWorkers is the healthy release as one of workers: blue takes the jobs, and
// green has no pod yet.
func healthyWorkers() *Facts {
	facts := healthy()
	spec := &facts.Release.Spec
	spec.Traffic = release.Traffic{Workers: &release.WorkersRoute{Order: release.NewFirst}}
	spec.Traffic.Deadlines.Drain = release.Duration(2 * time.Minute)
	spec.Traffic.Steps = []release.Step{{Weight: 100}}
	for name, color := range spec.Colors {
		color.Service = ""
		spec.Colors[name] = color
		facts.color(name, func(c *Color) { c.Declared = color })
	}
	facts.color("green", func(c *Color) {
		c.Planned, c.Owned, c.Pods = true, known([]corev1.Pod{}), known([]corev1.Pod{})
		c.Workloads.Value[0].ReadyReplicas = 0
	})
	facts.Route = known(Route{Live: "blue", State: traffic.Route{Split: traffic.Whole("blue")},
		Proof: known(traffic.Proof{Proven: true, Ready: []string{"shop-blue-0"}, Message: "3/3 pods of blue are ready; no pod of green is left to take a job"})})
	facts.Autoscalers = known([]autoscalingv2.HorizontalPodAutoscaler{})
	signEverything(facts)
	return facts
}

// TestHealthyWorkersPass: nothing stumbles over a release without a route, and what
// is about a route says that it does not apply, which is no pass.
func TestHealthyWorkersPass(t *testing.T) {
	for _, require := range []string{release.RequireStarter, release.RequireProduction} {
		facts := healthyWorkers()
		facts.Release.Spec.Require = require
		report := Evaluate(facts, Catalogue(), StageDeploy)
		if report.Blocked() {
			t.Errorf("require %s: blocked by %v", require, report.Blocking)
		}
		for _, id := range []string{"BG-NET-01", "BG-NET-02", "BG-NET-03", "BG-NET-05", "BG-COL-04"} {
			for _, finding := range findingsOf(report, id) {
				if finding.Outcome != Skip || !strings.Contains(finding.Cause, "does not apply") {
					t.Errorf("%s: %s, %s", id, finding.Outcome, finding.Cause)
				}
			}
		}
	}
}

func TestWorkersAreChecked(t *testing.T) {
	scaled := func(change func(*autoscalingv2.HorizontalPodAutoscaler)) func(*Facts) {
		return func(f *Facts) {
			one := autoscaler("green", 1, 4)
			one.Name = "orders"
			change(&one)
			f.Autoscalers = known([]autoscalingv2.HorizontalPodAutoscaler{one})
		}
	}
	for name, test := range map[string]struct {
		id      string
		plant   func(*Facts)
		outcome Outcome
		says    string
	}{
		"no autoscaler": {"BG-NET-04", func(*Facts) {}, Pass, "none scales them beside the switch"},
		"an autoscaler": {"BG-NET-04", scaled(func(*autoscalingv2.HorizontalPodAutoscaler) {}), Pass, "leaves it alone while it has no replicas"},
		"an autoscaler, and a share": {"BG-NET-04", func(f *Facts) {
			f.Release.Spec.Traffic.Steps = []release.Step{{Weight: 50}, {Weight: 100}}
			scaled(func(*autoscalingv2.HorizontalPodAutoscaler) {})(f)
		}, Fail, "a share of 50 % can't be held"},
		"KEDA": {"BG-NET-04", scaled(func(a *autoscalingv2.HorizontalPodAutoscaler) {
			a.OwnerReferences = []metav1.OwnerReference{{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Name: "orders"}}
		}), Fail, "scaledobject/orders of KEDA starts it from zero"},
		"autoscalers that can't be seen": {"BG-NET-04", func(f *Facts) {
			f.Autoscalers = Fact[[]autoscalingv2.HorizontalPodAutoscaler]{Problem: "forbidden"}
		}, Unknown, "forbidden"},
		"Argo CD puts the replicas back": {"BG-NET-04", func(f *Facts) {
			f.Route.Value.State.Owners = map[string][]string{"spec.replicas": {"argocd-controller"}}
		}, Warn, "argocd-controller owns its replicas"},
		"a long job": {"BG-COL-13", func(f *Facts) {
			f.workload("blue", func(w *cluster.Workload) { w.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](600) })
		}, Warn, "have 10m0s to end a job, and a shift waits 2m0s"},
		"killed in the midst of a job": {"BG-COL-13", func(f *Facts) {
			f.workload("blue", func(w *cluster.Workload) { w.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](0) })
		}, Fail, "killed at once"},
		"manifests of workers": {"BG-COL-15", func(f *Facts) {
			f.Manifests["green"] = known([]string{"deployment/shop-green"})
		}, Pass, "their replicas are what the switch gives them"},
		"the budget counts both": {"BG-DB-03", func(f *Facts) {
			f.snapshotLimits(33)
		}, Fail, ""},
		"a pod of the idle side": {"BG-COL-05", func(f *Facts) {
			f.Route.Value.Proof = known(traffic.Proof{Ready: []string{"shop-blue-0"}, Message: "pods of green still take jobs: shop-green-0"})
		}, Fail, "still take jobs"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthyWorkers()
			test.plant(facts)
			findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), test.id)
			for _, finding := range findings {
				if finding.Outcome == test.outcome && strings.Contains(finding.Cause, test.says) {
					return
				}
			}
			t.Errorf("none of %+v is %s with %q", findings, test.outcome, test.says)
		})
	}
}

// snapshotLimits sets max_connections.
func (f *Facts) snapshotLimits(most int) {
	database := f.Databases["main"]
	database.Snapshot.Value.Limits.MaxConnections, database.Snapshot.Value.Limits.Configured = most, most
	f.Databases["main"] = database
}

// A rollback starts the side that it goes back to.
func TestRollbackOfWorkersNeedsNoReadyPod(t *testing.T) {
	facts := healthyWorkers()
	facts.Stage, facts.Target = StageRollback, "green"
	facts.color("green", func(c *Color) { c.Planned = false; c.Workloads.Value[0].Replicas = 0 })
	findings := findingsOf(Evaluate(facts, Catalogue(), StageRollback), "BG-COL-01")
	if len(findings) != 1 || findings[0].Outcome != Skip {
		t.Errorf("%+v", findings)
	}
}

// No right is asked for that nothing of workers needs: no spare pod, no eviction.
func TestRightsOfWorkers(t *testing.T) {
	facts := healthyWorkers()
	rights, err := Rights(Inputs{Release: facts.Release})
	if err != nil {
		t.Fatal(err)
	}
	moves := 0
	for _, right := range rights {
		switch {
		case right.Resource == "endpointslices", right.Resource == "pods" && right.Verb == "create" && right.Subresource != "portforward":
			t.Errorf("%s %s/%s for: %s", right.Verb, right.Resource, right.Subresource, right.For)
		case right.Group == "apps" && right.Verb == "patch" && strings.Contains(right.For, "move it"):
			moves++
		}
	}
	if moves != 2 {
		t.Errorf("the right to move %d Deployments, want 2", moves)
	}
}
