package preflight

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A target that is not there yet is judged by the manifests that the shift
// will apply: a sound one passes, and one whose pool is too large is stopped
// before anything was applied.
func TestPlannedTargetIsJudgedByItsManifests(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	for _, test := range []struct {
		pool string
		want Outcome
	}{{"3", Pass}, {"20", Fail}} {
		in := inputs(t, dsn, "3", func(client *fake.Clientset) { withoutGreen(t, client) })
		in.Target = "green"
		in.Manifests = map[string][]string{"green": greenManifests(t, test.pool)}
		facts := Collect(t.Context(), in)
		if !facts.target().Planned {
			t.Fatalf("green is not planned: %+v", facts.target().Workloads)
		}
		report := Evaluate(facts, Catalogue(), StageDeploy)
		for _, finding := range report.Findings {
			if finding.Blocks && (finding.ID != "BG-DB-03" || test.want != Fail) {
				t.Errorf("pool of %s: %s %s blocks: %s: %s", test.pool, finding.ID, finding.Outcome, finding.Subject, finding.Cause)
			}
		}
		for _, finding := range findingsOf(report, "BG-COL-09") {
			if finding.Subject == "deployment/shop-green" && finding.Outcome != Pass {
				t.Errorf("the PodDisruptionBudget of the manifests was not seen: %+v", finding)
			}
		}
		if findings := findingsOf(report, "BG-DB-03"); len(findings) != 1 || findings[0].Outcome != test.want {
			t.Errorf("pool of %s: %+v, want %s", test.pool, findings, test.want)
		}
	}
}

func TestAbsentTargetWithoutManifestsBlocks(t *testing.T) {
	in := inputs(t, postgrestest.Start(t, nil), "3", func(client *fake.Clientset) { withoutGreen(t, client) })
	in.Target = "green"
	report := Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy)
	if findings := findingsOf(report, "BG-COL-01"); !report.Blocked() || len(findings) != 1 || findings[0].Outcome != Unknown {
		t.Errorf("findings = %+v, want unknown, which blocks", findings)
	}
}

// A colour that was never deployed, and whose manifests are named, wants its first
// shift and not their names.
func TestAbsentColorWithManifestsWantsAShift(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) { withoutGreen(t, client) })
	in.Target, in.Stage = "green", StageRollback
	green := in.Release.Spec.Colors["green"]
	green.Manifests = []string{"green/"}
	in.Release.Spec.Colors["green"] = green
	finding := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageRollback), "BG-COL-01")[0]
	if want := "deploy it, or shift to green, which applies spec.colors.green.manifests"; finding.Remedy != want {
		t.Errorf("remedy = %q, want %q", finding.Remedy, want)
	}
}

// A target at zero counts with the replicas that the shift gives it back, not
// with none: its connections must fit too.
func TestTargetAtZeroIsJudgedByTheReplicasItGetsBack(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	for _, test := range []struct {
		recorded string
		want     Outcome
	}{{"2", Pass}, {"30", Fail}} {
		in := inputs(t, dsn, "3", func(client *fake.Clientset) {
			greenAtZero(t, client, test.recorded)
		})
		in.Target = "green"
		report := Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy)
		if findings := findingsOf(report, "BG-DB-03"); len(findings) != 1 || findings[0].Outcome != test.want {
			t.Errorf("%s recorded replicas: %+v, want %s", test.recorded, findings, test.want)
		}
		if report.Blocked() != (test.want == Fail) {
			t.Errorf("%s recorded replicas: blocking %v", test.recorded, report.Blocking)
		}
	}
}

// A manifest that sets no replicas leaves them to an autoscaler. A target at
// zero then counts with what the shift gives it back, and one that is not there
// with the 1 that the server makes of it.
func TestTargetWhoseManifestsSetNoReplicas(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(*testing.T, *fake.Clientset)
		edit    func(*appsv1.Deployment)
		want    Outcome
		wanted  int32
	}{
		{"at zero", func(t *testing.T, client *fake.Clientset) { greenAtZero(t, client, "2") }, func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, Pass, 3},
		{"at zero, once larger", func(t *testing.T, client *fake.Clientset) { greenAtZero(t, client, "5") }, func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, Pass, 5},
		{"at zero, by its manifest", func(t *testing.T, client *fake.Clientset) { greenAtZero(t, client, "4") }, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(int32(0)) }, Pass, 4},
		{"at zero, and its manifest knows better", func(t *testing.T, client *fake.Clientset) { greenAtZero(t, client, "5") }, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(int32(2)) }, Fail, 2},
		{"not there", withoutGreen, func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, Fail, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, "", "3", func(client *fake.Clientset) { test.prepare(t, client) })
			in.Target = "green"
			in.Manifests = map[string][]string{"green": greenManifests(t, "3", test.edit)}
			facts := Collect(t.Context(), in)
			if got := facts.target().Workloads; !got.Known || got.Value[0].Replicas != test.wanted {
				t.Errorf("%+v, want %d replicas", got, test.wanted)
			}
			findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-08")
			if len(findings) != 1 || findings[0].Outcome != test.want {
				t.Errorf("%+v, want %s", findings, test.want)
			}
			if made := strings.Contains(findings[0].Remedy, "is made with 1"); made != facts.target().absent {
				t.Errorf("remedy = %q", findings[0].Remedy)
			}
		})
	}
}

// A target that runs is judged by the manifests that the shift will apply to it, by
// each check that looks at what pods are made from; the same ones made well pass.
func TestRunningTargetIsJudgedByItsManifests(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	container := func(change func(*corev1.Container)) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) { change(&d.Spec.Template.Spec.Containers[0]) }
	}
	for _, test := range []struct {
		name string
		id   string
		want Outcome
		says string
		edit func(*appsv1.Deployment)
	}{
		{"as they run", "", Pass, "", func(*appsv1.Deployment) {}},
		{"another version", "", Pass, "", container(func(c *corev1.Container) { c.Image = "registry.example:5000/shop:v3" })},
		{"no readiness probe", "BG-COL-02", Fail, "no container has a readinessProbe", container(func(c *corev1.Container) { c.ReadinessProbe = nil })},
		{"labels of nobody", "BG-COL-03", Fail, "does not match the pods of deployment/shop-green", func(d *appsv1.Deployment) {
			d.Spec.Template.Labels = map[string]string{"app": "shop"}
		}},
		{"fewer pods", "BG-COL-08", Fail, "it wants 1 pods while blue has 3 ready", func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(int32(1)) }},
		{"an image that moves", "BG-COL-12", Warn, "which can change under it", container(func(c *corev1.Container) { c.Image = "shop:latest" })},
		{"killed at once", "BG-COL-13", Fail, "terminationGracePeriodSeconds is 0", func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To(int64(0))
		}},
		{"a variable that blue lacks", "BG-COL-14", Warn, "only green has FEATURE", container(func(c *corev1.Container) {
			c.Env = append(c.Env, corev1.EnvVar{Name: "FEATURE", Value: "on"})
		})},
		{"another account", "BG-COL-16", Warn, "they differ in serviceAccountName", func(d *appsv1.Deployment) { d.Spec.Template.Spec.ServiceAccountName = "elsewhere" }},
		{"pools that are too large", "BG-DB-03", Fail, "connections are asked for at the peak", container(func(c *corev1.Container) { c.Env[0].Value = "50" })},
		{"pods that are too many", "BG-DB-03", Fail, "connections are asked for at the peak", func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(int32(10)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, dsn, "3", nil)
			in.Manifests = map[string][]string{"green": greenManifests(t, "3", test.edit)}
			facts := Collect(t.Context(), in)
			if target := facts.target(); target.Planned || target.Running == nil {
				t.Errorf("green, which runs, counts as planned: %v", target.Planned)
			}
			report := Evaluate(facts, Catalogue(), StageDeploy)
			caught := test.id == ""
			for _, finding := range report.Findings {
				if finding.Blocks && finding.ID != test.id {
					t.Errorf("%s %s: %s: %s", finding.ID, finding.Outcome, finding.Subject, finding.Cause)
				}
				caught = caught || finding.ID == test.id && finding.Outcome == test.want && strings.Contains(finding.Cause, test.says)
			}
			if !caught {
				t.Errorf("%s: %+v, want %s with %q", test.id, findingsOf(report, test.id), test.want, test.says)
			}
		})
	}
}

// Only the target of a shift gets its manifests: what they say of the colour that
// has the traffic, or of one that a rollback goes to, does not come about.
func TestManifestsThatNobodyAppliesJudgeNothing(t *testing.T) {
	bad := func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].ReadinessProbe = nil }
	for name, prepare := range map[string]func(*Inputs){
		"a rollback":        func(in *Inputs) { in.Stage, in.Target = StageRollback, "green" },
		"the live colour":   func(in *Inputs) { in.Target = "green"; in.Release.Spec.Traffic.Service.Name = "svc-green" },
		"not of the target": func(in *Inputs) { in.Target = "blue" },
		"none are declared": func(in *Inputs) { in.Manifests = nil },
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, "", "3", nil)
			in.Manifests = map[string][]string{"green": greenManifests(t, "3", bad)}
			prepare(&in)
			green := Collect(t.Context(), in).Colors["green"]
			if !green.Workloads.Known || green.Running != nil || green.Workloads.Value[0].Template.Spec.Containers[0].ReadinessProbe == nil {
				t.Errorf("%+v", green.Workloads)
			}
		})
	}
}

// Pods that are not ready and will be replaced keep nobody from applying what mends
// them; pods that stay do.
func TestPodsThatManifestsReplaceNeedNotBeReady(t *testing.T) {
	for _, test := range []struct {
		name, image string
		want        Outcome
	}{{"replaced", "registry.example:5000/shop:v3", Warn}, {"left as they are", "registry.example:5000/shop:v2", Fail}} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, "", "3", func(client *fake.Clientset) { greenNotReady(t, client) })
			in.Manifests = map[string][]string{"green": greenManifests(t, "3", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = test.image })}
			report := Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy)
			for id, subject := range map[string]string{"BG-COL-01": "deployment/shop-green", "BG-COL-04": "service/svc-green"} {
				for _, finding := range findingsOf(report, id) {
					if finding.Subject == subject && finding.Outcome != test.want {
						t.Errorf("%s: %s: %s, want %s", id, finding.Outcome, finding.Cause, test.want)
					}
				}
			}
			if report.Blocked() != (test.want == Fail) {
				t.Errorf("blocking %v", report.Blocking)
			}
		})
	}
}

// Until the roll-out is over there may be as many pods as before, each with the
// pool that it has.
func TestBudgetCountsWhatRunsUntilItIsReplaced(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	for _, test := range []struct {
		name   string
		pool   string // of green as it runs
		edit   func(*appsv1.Deployment)
		pods   int
		each   int
		remedy string
	}{
		{"a smaller pool to come", "9", func(*appsv1.Deployment) {}, 4, 9, "scale deployment/shop-green to 0 before the shift"},
		{"fewer pods to come", "3", func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(int32(1)) }, 4, 3, ""},
		{"more pods to come", "3", func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To(int32(4)) }, 5, 3, ""},
		{"a count of their autoscaler", "3", func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, 4, 3, ""},
		{"a StatefulSet's or Recreate", "3", func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }, 3, 3, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, dsn, "3", func(client *fake.Clientset) {
				greenEdited(t, client, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Env[0].Value = test.pool })
			})
			in.Manifests = map[string][]string{"green": greenManifests(t, "3", test.edit)}
			facts := Collect(t.Context(), in)
			budget, known, why := facts.Budget("main")
			if !known {
				t.Fatal(why)
			}
			if green := budget.Colors[1]; green.Pods != test.pods || green.Pool.Connections != test.each {
				t.Errorf("%d pods with pools of %s, want %d with %d", green.Pods, green.Pool, test.pods, test.each)
			}
			if got := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")[0].Remedy; test.remedy != "" && !strings.HasPrefix(got, test.remedy) {
				t.Errorf("remedy %q, want %q", got, test.remedy)
			}
		})
	}
}

// The autoscaler and the contents of variables that the manifests bring count, over
// those that the cluster has of the same names: before green was ever deployed, and
// once it runs.
func TestBudgetCountsWhatTheManifestsBring(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	ofConfigMap := func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Env[0] = fromConfigMap }
	autoscalerOf := func(maximum int32) runtime.Object {
		found := autoscaler("green", 3, maximum)
		found.TypeMeta, found.ObjectMeta = metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}, metav1.ObjectMeta{Namespace: "shop", Name: "green"}
		return &found
	}
	config := func(pool string) runtime.Object {
		return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop-green"}, Data: map[string]string{"pool": pool}}
	}
	unfilled := config("")
	unfilled.(*corev1.ConfigMap).Data = nil
	for _, test := range []struct {
		name       string
		there      []runtime.Object // in the cluster
		brought    []runtime.Object // by the manifests
		pods, each int
		want       Outcome
	}{
		{"a small autoscaler", nil, []runtime.Object{autoscalerOf(3)}, 4, 3, Pass},
		{"a large autoscaler", nil, []runtime.Object{autoscalerOf(50)}, 63, 3, Fail},
		{"a larger one than there is", []runtime.Object{autoscalerOf(3)}, []runtime.Object{autoscalerOf(50)}, 63, 3, Fail},
		{"a smaller one than there is", []runtime.Object{autoscalerOf(50)}, []runtime.Object{autoscalerOf(3)}, 4, 3, Pass},
		{"a ConfigMap of the manifests alone", nil, []runtime.Object{config("3")}, 4, 3, Pass},
		{"another one in the cluster", []runtime.Object{config("3")}, []runtime.Object{config("50")}, 4, 50, Fail},
		{"one that somebody else fills in", []runtime.Object{config("3")}, []runtime.Object{unfilled}, 4, 3, Pass},
		{"one in the cluster alone", []runtime.Object{config("3")}, nil, 4, 3, Pass},
		{"both", []runtime.Object{config("3"), autoscalerOf(3)}, []runtime.Object{config("50"), autoscalerOf(50)}, 63, 50, Fail},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first deployed: %v", test.name, first), func(t *testing.T) {
				in := inputs(t, dsn, "3", func(client *fake.Clientset) {
					if first {
						withoutGreen(t, client)
					}
					for _, object := range test.there {
						if err := client.Tracker().Add(object.DeepCopyObject()); err != nil {
							t.Fatal(err)
						}
					}
				})
				files := greenManifests(t, "3")
				for _, object := range slices.Concat(test.there, test.brought) {
					if _, configured := object.(*corev1.ConfigMap); configured {
						files = greenManifests(t, "3", ofConfigMap)
					}
				}
				for at, object := range test.brought {
					files = append(files, writeObject(t, filepath.Join(t.TempDir(), fmt.Sprint(at, ".json")), object))
				}
				in.Manifests = map[string][]string{"green": files}
				facts := Collect(t.Context(), in)
				budget, known, why := facts.Budget("main")
				if !known || budget.Colors[1].Pods != test.pods || budget.Colors[1].Pool.Connections != test.each {
					t.Errorf("%+v (%s), want %d pods with %d", budget.Colors, why, test.pods, test.each)
				}
				finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")[0]
				if finding.Outcome != test.want {
					t.Errorf("%s: %s, want %s", finding.Outcome, finding.Cause, test.want)
				}
			})
		}
	}
}

// fromConfigMap is a pool size that a ConfigMap of green's holds.
var fromConfigMap = corev1.EnvVar{Name: "DB_POOL_SIZE", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
	LocalObjectReference: corev1.LocalObjectReference{Name: "shop-green"}, Key: "pool"}}}

// What the manifests hold is changed there: a patch in the cluster would be applied
// over.
func TestPatchesLeaveTheManifestsAlone(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	in := inputs(t, dsn, "20", nil)
	in.Manifests = map[string][]string{"green": greenManifests(t, "20")}
	budget, _, _ := Collect(t.Context(), in).Budget("main")
	patches := budget.Patches()
	if len(patches) != 2 || patches[0].Resource != "deployment/shop-blue" || patches[1].Body != "" ||
		!strings.Contains(patches[1].Note, "deployment/shop-green env DB_POOL_SIZE in the manifests of green to 3") {
		t.Errorf("%+v", patches)
	}
}

// A workload of the target that its manifests leave out stays as it runs; one that
// is neither there nor in them is not known.
func TestWorkloadsBesideTheManifests(t *testing.T) {
	for name, running := range map[string]bool{"one that runs": true, "one that does not": false} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, "", "3", func(client *fake.Clientset) {
				if running {
					beside := objectsOf("green", "7")[1].(*appsv1.Deployment)
					beside.Name = "shop-green-admin"
					if err := client.Tracker().Add(beside); err != nil {
						t.Fatal(err)
					}
				}
			})
			green := in.Release.Spec.Colors["green"]
			green.Workloads = append(green.Workloads, release.Workload{Kind: "deployment", Name: "shop-green-admin"})
			in.Release.Spec.Colors["green"] = green
			in.Manifests = map[string][]string{"green": greenManifests(t, "4")}
			found := Collect(t.Context(), in).target().Workloads
			if found.Known != running {
				t.Fatalf("%+v", found)
			}
			if !running {
				return
			}
			for at, pool := range []string{"4", "7"} {
				if got := found.Value[at].Template.Spec.Containers[0].Env[0].Value; got != pool {
					t.Errorf("%s has a pool of %s, want %s", found.Value[at].Ref, got, pool)
				}
			}
		})
	}
}

// A count that nobody but an apply of ours has set goes with the manifest that
// leaves it out.
func TestReplicasThatAnApplyTakesBack(t *testing.T) {
	fields := metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`)
	ours := metav1.ManagedFieldsEntry{Manager: cluster.FieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: fields}
	scaled := metav1.ManagedFieldsEntry{Manager: "kube-controller-manager", Operation: metav1.ManagedFieldsOperationUpdate, Subresource: "scale", FieldsV1: fields}
	for name, test := range map[string]struct {
		owners []metav1.ManagedFieldsEntry
		want   int32
	}{
		"ours alone":          {[]metav1.ManagedFieldsEntry{ours}, 1},
		"an autoscaler's too": {[]metav1.ManagedFieldsEntry{ours, scaled}, 3},
		"an autoscaler's":     {[]metav1.ManagedFieldsEntry{scaled}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, "", "3", func(client *fake.Clientset) {
				client.PrependReactor("get", "deployments", func(action kubetesting.Action) (bool, runtime.Object, error) {
					object, err := client.Tracker().Get(action.GetResource(), "shop", action.(kubetesting.GetAction).GetName())
					if deployment, is := object.(*appsv1.Deployment); is {
						deployment.ManagedFields = test.owners // which the fake keeps nothing of
					}
					return true, object, err
				})
			})
			in.Manifests = map[string][]string{"green": greenManifests(t, "3", func(d *appsv1.Deployment) { d.Spec.Replicas = nil })}
			if got := Collect(t.Context(), in).target().Workloads.Value[0].Replicas; got != test.want {
				t.Errorf("%d replicas, want %d", got, test.want)
			}
		})
	}
}

// withoutGreen is a cluster on which green was never deployed.
func withoutGreen(t *testing.T, client *fake.Clientset) {
	t.Helper()
	deletePods(t, client)
	for _, err := range []error{
		client.AppsV1().Deployments("shop").Delete(t.Context(), "shop-green", metav1.DeleteOptions{}),
		client.CoreV1().Services("shop").Delete(t.Context(), "svc-green", metav1.DeleteOptions{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func deletePods(t *testing.T, client *fake.Clientset) {
	t.Helper()
	pods, err := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{LabelSelector: "version=green"})
	if err != nil || len(pods.Items) == 0 {
		t.Fatalf("%d pods of green: %v", len(pods.Items), err)
	}
	for _, pod := range pods.Items {
		if err := client.CoreV1().Pods("shop").Delete(t.Context(), pod.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// greenAtZero is a cluster on which green was scaled to zero.
func greenAtZero(t *testing.T, client *fake.Clientset, recorded string) {
	t.Helper()
	greenEdited(t, client, func(deployment *appsv1.Deployment) {
		deployment.Spec.Replicas, deployment.Status = ptr.To(int32(0)), appsv1.DeploymentStatus{}
		deployment.Annotations = map[string]string{cluster.AnnotationReplicas: recorded}
	})
	deletePods(t, client)
}

// greenEdited is a cluster on which green runs as edited.
func greenEdited(t *testing.T, client *fake.Clientset, edit func(*appsv1.Deployment)) {
	t.Helper()
	deployment, err := client.AppsV1().Deployments("shop").Get(t.Context(), "shop-green", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	edit(deployment)
	if _, err := client.AppsV1().Deployments("shop").Update(t.Context(), deployment, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// greenNotReady is a cluster on which green's pods run, and none is ready.
func greenNotReady(t *testing.T, client *fake.Clientset) {
	t.Helper()
	greenEdited(t, client, func(d *appsv1.Deployment) { d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0 })
	pods, err := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{LabelSelector: "version=green"})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		pod.Status.Conditions = nil
		if _, err := client.CoreV1().Pods("shop").UpdateStatus(t.Context(), &pod, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// greenManifests writes down what objectsOf would put into the cluster, its
// Deployment as edited.
func greenManifests(t *testing.T, pool string, edits ...func(*appsv1.Deployment)) []string {
	t.Helper()
	var files []string
	folder := t.TempDir()
	for _, object := range objectsOf("green", pool) {
		kind := ""
		switch typed := object.(type) {
		case *appsv1.Deployment:
			kind, typed.Status = "Deployment", appsv1.DeploymentStatus{}
			typed.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: kind}
			for _, edit := range edits {
				edit(typed)
			}
		case *corev1.Service:
			kind = "Service"
			typed.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: kind}
		default:
			continue
		}
		files = append(files, writeObject(t, filepath.Join(folder, kind+".json"), object))
	}
	budget := disruption("green")
	budget.TypeMeta = metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}
	return append(files, writeObject(t, filepath.Join(folder, "budget.json"), &budget))
}

func writeObject(t *testing.T, file string, object runtime.Object) string {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
