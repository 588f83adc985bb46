package preflight

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const greenManifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-green}
spec:
  selector: {matchLabels: {version: green}}
  template:
    metadata: {labels: {version: green}}
    spec:
      containers: [{name: app, image: "IMAGE", env: [{name: FAULTS, value: "1"}]}]
`

// A target is what a run was rolled back from where it is deployed as it was then, and
// its manifests bring the same program again.
func TestRolledBack(t *testing.T) {
	deployed := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "shop-green", Namespace: "shop"}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"version": "green"}},
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{TerminationGracePeriodSeconds: new(int64), Containers: []corev1.Container{
			{Name: "app", Image: "shop:v2", Env: []corev1.EnvVar{{Name: "FAULTS", Value: "1"}}}}}}}}
	client, _ := clustertest.New(deployed)
	ref := release.Workload{Kind: "deployment", Name: "shop-green"}
	live, err := client.Workload(t.Context(), "shop", ref)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		target, template, image string
		err                     error
		want                    []string
		none                    bool
	}{
		"as it was":                    {target: "green", template: live.TemplateHash(), want: []string{"deployment/shop-green"}},
		"and its manifests bring it":   {target: "green", template: live.TemplateHash(), image: "shop:v2", want: []string{"deployment/shop-green"}},
		"its manifests bring another":  {target: "green", template: live.TemplateHash(), image: "shop:v3"},
		"deployed anew since":          {target: "green", template: "another"},
		"the other colour":             {target: "blue", template: live.TemplateHash(), none: true},
		"the record can't be read":     {target: "green", err: errors.New("forbidden")},
		"the last run ended well":      {none: true},
		"a run that read no templates": {target: "green"},
	} {
		t.Run(name, func(t *testing.T) {
			in := Inputs{Client: client, Release: healthy().Release}
			if test.image != "" {
				file := filepath.Join(t.TempDir(), "green.yaml")
				if err := os.WriteFile(file, []byte(strings.Replace(greenManifest, "IMAGE", test.image, 1)), 0o600); err != nil {
					t.Fatal(err)
				}
				in.Manifests = map[string][]string{"green": {file}}
			}
			in.RolledBack = func(context.Context) (*RolledBack, error) {
				if test.target == "" {
					return nil, test.err
				}
				return &RolledBack{Run: "run", Target: test.target, Templates: map[string]string{ref.String(): test.template}}, test.err
			}
			got := rolledBack(t.Context(), in, &Facts{Target: "green"})
			if got.Known != (test.err == nil) || got.Known && (got.Value == nil) != test.none {
				t.Fatalf("got %+v", got)
			}
			if got.Value != nil {
				if diff := cmp.Diff(test.want, got.Value.Unchanged); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
