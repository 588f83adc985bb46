package preflight

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
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
	deployment, err := client.AppsV1().Deployments("shop").Get(t.Context(), "shop-green", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	deployment.Spec.Replicas, deployment.Status = ptr.To(int32(0)), appsv1.DeploymentStatus{}
	deployment.Annotations = map[string]string{cluster.AnnotationReplicas: recorded}
	if _, err := client.AppsV1().Deployments("shop").Update(t.Context(), deployment, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	deletePods(t, client)
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
