package preflight

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// The patches of a budget that doesn't fit, applied, make it fit; whatever holds
// the size.
func TestPatchesMakeTheBudgetFit(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	for name, prepare := range map[string]func(*corev1.PodTemplateSpec){
		"a variable": nil,
		"an annotation": func(template *corev1.PodTemplateSpec) {
			template.Annotations = map[string]string{postgres.AnnotationPoolSize: "20"}
		},
		"a key of a ConfigMap": func(template *corev1.PodTemplateSpec) {
			template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "DB_POOL_SIZE", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "shop"}, Key: "connections"}}}}
		},
		"a whole ConfigMap": func(template *corev1.PodTemplateSpec) {
			template.Spec.Containers[0].Env = nil
			template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{Prefix: "DB_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "shop"}}}}
		},
		"a framework's default": func(template *corev1.PodTemplateSpec) {
			template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "SPRING_DATASOURCE_URL", Value: "jdbc:postgresql://db/shop"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, dsn, "20", func(client *fake.Clientset) {
				config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop"}, Data: map[string]string{"connections": "20", "POOL_SIZE": "20"}}
				if _, err := client.CoreV1().ConfigMaps("shop").Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
				templates(t, client, prepare)
			})
			budget, known, why := Collect(t.Context(), in).Budget("main")
			if !known || budget.Outcome != postgres.Exceeds {
				t.Fatalf("budget %s, %s; want fail", budget.Summary, why)
			}
			for _, patch := range budget.Patches() {
				apply(t, in, patch)
			}
			after, _, _ := Collect(t.Context(), in).Budget("main")
			if after.Outcome != postgres.Fits || len(after.Patches()) > 0 {
				t.Errorf("patched, the budget is %s: %s", after.Outcome, after.Summary)
			}
		})
	}
}

func templates(t *testing.T, client *fake.Clientset, change func(*corev1.PodTemplateSpec)) {
	t.Helper()
	for _, name := range []string{"shop-blue", "shop-green"} {
		deployment, err := client.AppsV1().Deployments("shop").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(&deployment.Spec.Template)
		}
		if _, err := client.AppsV1().Deployments("shop").Update(t.Context(), deployment, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func apply(t *testing.T, in Inputs, patch postgres.Patch) {
	t.Helper()
	kind, name, _ := strings.Cut(patch.Resource, "/")
	how := map[string]types.PatchType{"strategic": types.StrategicMergePatchType, "merge": types.MergePatchType}[patch.Type]
	var err error
	if kind == "configmap" {
		_, err = in.Client.Kubernetes.CoreV1().ConfigMaps("shop").Patch(t.Context(), name, how, []byte(patch.Body), metav1.PatchOptions{})
	} else {
		var patched *appsv1.Deployment
		patched, err = in.Client.Kubernetes.AppsV1().Deployments("shop").Patch(t.Context(), name, how, []byte(patch.Body), metav1.PatchOptions{})
		if err == nil && len(patched.Spec.Template.Spec.Containers) != 1 {
			t.Errorf("%s made another container", patch.Body)
		}
	}
	if err != nil {
		t.Fatalf("patch %+v: %v", patch, err)
	}
}
