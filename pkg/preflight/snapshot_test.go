package preflight

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

type failer interface {
	Helper()
	Fatal(...any)
}

func saved(t failer, facts *Facts) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Save(&out, facts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// assertReplayed wants the same report, to the last word, of facts and of what is
// read back of them.
func assertReplayed(t failer, facts *Facts) {
	t.Helper()
	loaded, err := Load(bytes.NewReader(saved(t, facts)))
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range Stages() {
		if diff := cmp.Diff(Evaluate(facts, Catalogue(), stage), Evaluate(loaded, Catalogue(), stage)); diff != "" {
			t.Fatal("the report of stage " + string(stage) + " is another one after saving and loading:\n" + diff)
		}
	}
}

func TestSavedFactsGiveTheSameReport(t *testing.T) {
	for name, facts := range map[string]*Facts{
		"healthy": healthy(), "a set": healthySet(), "weighted": healthyWeighted(), "no session": sessionless(),
		"nothing known": {Release: healthy().Release, Colors: map[string]Color{}, Stage: StageDeploy, Target: "green"},
		"secrets":       withSecrets(t),
	} {
		t.Run(name, func(t *testing.T) { assertReplayed(t, facts) })
	}
	for _, fault := range plantedFaults() {
		t.Run(fault.id+" "+fault.name, func(t *testing.T) {
			facts := healthy()
			fault.plant(facts)
			assertReplayed(t, facts)
		})
	}
}

// That a workload does not exist at all changes what is to be done about it.
func TestSavedAbsenceGivesTheSameReport(t *testing.T) {
	facts := healthy()
	facts.workload("green", func(workload *cluster.Workload) { workload.Replicas = 1 })
	facts.color("green", func(color *Color) { color.absent = true })
	if remedy := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-08")[0].Remedy; !strings.Contains(remedy, "let the manifests") {
		t.Fatalf("the remedy is %q", remedy)
	}
	assertReplayed(t, facts)
}

// Whatever is wrong at once: any of the faults that any check can see.
func TestSavedFaultsGiveTheSameReport(t *testing.T) {
	faults := plantedFaults()
	rapid.Check(t, func(t *rapid.T) {
		facts := healthy()
		for _, index := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(faults)-1), 0, 6, rapid.ID).Draw(t, "faults") {
			func() {
				defer func() { _ = recover() }() // one fault may have taken away what another changes
				faults[index].plant(facts)
			}()
		}
		assertReplayed(t, facts)
	})
}

// The destinations of a VirtualService are a part of a live object that a check
// looks at.
func TestSavedSubsetsGiveTheSameReport(t *testing.T) {
	facts := healthy()
	facts.Release.Spec.Traffic = release.Traffic{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "shop", Subsets: map[string]string{"blue": "v1", "green": "v2"}}}
	route := facts.Route.Value
	route.Service, route.State.Object, route.State.Live = nil, "virtualservice/shop", virtualService("s3cr3t-canary")
	facts.Route = known(route)
	facts.DestinationRules = known([]DestinationRule{{Name: "shop", Host: "shop.shop", Subsets: map[string]map[string]string{"v1": {"version": "blue"}, "v2": {"version": "green"}}}})
	if hosts := hostsOfRoute(route.State, facts.Namespace); len(hosts) != 1 {
		t.Fatalf("the route leads to %v", hosts)
	}
	assertReplayed(t, facts)
	if text := string(saved(t, facts)); strings.Contains(text, "s3cr3t-canary") {
		t.Error("a header of the live route is in the snapshot")
	}
}

func virtualService(header string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"kind": "VirtualService", "spec": map[string]any{"http": []any{map[string]any{
		"match": []any{map[string]any{"headers": map[string]any{"x-key": map[string]any{"exact": header}}}},
		"route": []any{
			map[string]any{"destination": map[string]any{"host": "shop", "subset": "v1"}, "weight": int64(100)},
			map[string]any{"destination": map[string]any{"host": "shop", "subset": "v2"}, "weight": int64(0)},
		},
	}}}}}
}

// canary is a secret that stands in one place only: one that looks like a secret
// somewhere is taken out everywhere.
func canary(place string) string { return place + canaryMark }

const canaryMark = "-c4n4ry5b1f2a9e"

// withSecrets is the healthy release with a secret everywhere that one may stand.
func withSecrets(t failer) *Facts {
	facts := healthy()
	annotations := map[string]string{
		"kubectl.kubernetes.io/last-applied-configuration": `{"env":[{"name":"PIN","value":"` + canary("p01") + `"}]}`,
		"service.beta.kubernetes.io/load-balancer-auth":    canary("p02"),
	}
	template := facts.Colors["green"].Workloads.Value[0].Template
	template.Annotations = annotations
	template.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "d", VolumeAttributes: map[string]string{"pin": canary("p03")}}}}}
	container := &template.Spec.Containers[0]
	container.Env = append(container.Env, corev1.EnvVar{Name: "PIN", Value: canary("p04")}, corev1.EnvVar{Name: "API_TOKEN", Value: canary("p05")}, corev1.EnvVar{Name: "EMPTY"})
	container.Args = []string{"--pin", canary("p06"), "--password=" + canary("p07")}
	container.Command = []string{"sh", "-c", "PIN=" + canary("p08") + " serve"}
	headers := []corev1.HTTPHeader{{Name: "X-Pin", Value: canary("p09")}}
	container.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/?token=" + canary("p10"), HTTPHeaders: headers}}}
	container.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check", canary("p11")}}}}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-green", Annotations: annotations, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: canary("p12")}}},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To(int32(3)), Template: template, Selector: &metav1.LabelSelector{MatchLabels: template.Labels},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: ptr.To(intstr.FromString("50%"))}}},
	}
	workload := workloadOf(t, deployment)
	workload.ReadyReplicas, workload.Readiness = 3, cluster.Readiness{Done: true, Successful: true}
	facts.color("green", func(color *Color) {
		color.Workloads = known([]cluster.Workload{workload})
		color.Pods.Value[0].Spec, color.Pods.Value[0].Annotations = template.Spec, annotations
		color.Service.Value.Annotations = annotations
	})
	route := facts.Route.Value
	route.Service.Annotations = annotations
	route.State.Live = virtualService(canary("p13"))
	facts.Route = known(route)
	facts.Quotas.Problem = "dial postgres://shop:" + canary("p14") + "@db/shop: refused"
	facts.Monitoring.Critical.Detail = "Authorization: Bearer " + canary("p15")
	return facts
}

func workloadOf(t failer, deployment *appsv1.Deployment) cluster.Workload {
	t.Helper()
	text, err := json.Marshal(deployment)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &object.Object); err != nil {
		t.Fatal(err)
	}
	delete(object.Object, "status")
	workload, err := cluster.ManifestWorkload(release.Workload{Kind: "deployment", Name: deployment.Name}, roundNumbers(t, object))
	if err != nil {
		t.Fatal(err)
	}
	return *workload
}

// roundNumbers reads an object as a client does, with whole numbers.
func roundNumbers(t failer, object *unstructured.Unstructured) *unstructured.Unstructured {
	object.SetAPIVersion("apps/v1")
	object.SetKind("Deployment")
	text, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	read := &unstructured.Unstructured{}
	if err := read.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestASnapshotHoldsNoSecret(t *testing.T) {
	text := string(saved(t, withSecrets(t)))
	if at := strings.Index(text, canaryMark); at >= 0 {
		t.Errorf("a secret is saved: …%s…", text[max(0, at-200):at+40])
	}
	for _, want := range []string{`"DB_POOL_SIZE"`, `"API_TOKEN"`, `"50%"`, "registry.example:5000/shop:v2"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not saved", want)
		}
	}
}

// What is equal stays so within a file, and says nothing of the same value in
// another file.
func TestHiddenValuesCanBeCompared(t *testing.T) {
	hidden := func() (template, pod string) {
		loaded, err := Load(bytes.NewReader(saved(t, withSecrets(t))))
		if err != nil {
			t.Fatal(err)
		}
		green := loaded.Colors["green"]
		return green.Workloads.Value[0].Template.Spec.Containers[0].Env[1].Value, green.Pods.Value[0].Spec.Containers[0].Env[1].Value
	}
	template, pod := hidden()
	if template != pod || !strings.HasPrefix(template, "hidden:") {
		t.Errorf("the same value is hidden as %s and %s", template, pod)
	}
	if again, _ := hidden(); again == template {
		t.Error("another file hides it alike, so it could be guessed")
	}
}

func TestASnapshotThatCannotBeTrustedIsRefused(t *testing.T) {
	whole := string(saved(t, healthy()))
	indented := &bytes.Buffer{}
	if err := json.Indent(indented, []byte(whole), "", "  "); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(indented); err != nil {
		t.Errorf("one that was laid out anew is refused: %v", err)
	}
	seal := func(facts string) string {
		return `{"apiVersion":"bluegreen.dev/v1alpha1","kind":"CheckSnapshot","format":1,"sha256":"` + digest([]byte(facts)) + `","facts":` + facts + `}`
	}
	for name, test := range map[string]struct{ text, says string }{
		"empty":            {"", "it is no whole JSON"},
		"cut off":          {whole[:len(whole)/2], "it is no whole JSON"},
		"edited":           {strings.Replace(whole, `"Replicas":3`, `"Replicas":4`, 1), "the SHA-256 differs"},
		"newer":            {strings.Replace(whole, `"format":1`, `"format":2`, 1), "its format 2 is newer than the 1 that this program reads"},
		"of no format":     {strings.Replace(whole, `"format":1`, `"format":0`, 1), "it says no format"},
		"something else":   {`{"apiVersion":"v1","kind":"Pod"}`, "it is no CheckSnapshot"},
		"a report":         {`{"apiVersion":"bluegreen.dev/v1alpha1","kind":"CheckReport"}`, "it is no CheckSnapshot"},
		"an unknown fact":  {seal(`{"Weather":"fine"}`), `unknown field "Weather"`},
		"one in a colour":  {seal(`{"Colors":{"blue":{"Weather":"fine"}}}`), `unknown field "Weather"`},
		"without Release":  {seal(`{"Stage":"deploy"}`), "it holds no Release"},
		"facts of no type": {seal(`[]`), "cannot unmarshal array"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(strings.NewReader(test.text))
			if err == nil || !strings.Contains(err.Error(), test.says) || release.HintOf(err) == "" {
				t.Errorf("it says %v (hint %q), want %q", err, release.HintOf(err), test.says)
			}
		})
	}
	if _, err := Load(brokenReader{}); err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("a file that can't be read is told as %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("disk") }
