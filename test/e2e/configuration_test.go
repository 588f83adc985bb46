package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A release that changes a ConfigMap alone is one: the Deployment stays as it was, and
// the pods of the idle side, which ran on, are made anew all the same.
func TestConfigurationAloneIsARelease(t *testing.T) {
	s := open(t, shop.Options{Green: configured()})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()
	s.configures(2)
	s.run(rollout.CodeDone, "shift")
	s.run(rollout.CodeDone, "shift", "--to", shop.Blue)
	first := s.templates(shop.Green)

	s.configures(3)
	s.run(rollout.CodeDone, "shift", "--to", shop.Green)
	s.serves(shop.Green)
	second := s.templates(shop.Green)
	if len(first) != 1 || len(second) != 1 || second[0] == first[0] {
		t.Errorf("the pods are of the templates %q, and with another configuration of %q", first, second)
	}
	s.lostNothing("three shifts", run.Counts().Since(before))
}

// configured is a green that takes its variables from a ConfigMap too.
func configured() shop.Slot {
	return shop.Slot{Pod: func(pod *corev1.PodSpec) {
		reference := corev1.LocalObjectReference{Name: "recommendation-green"}
		pod.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference}}}
	}}
}

// configures writes that ConfigMap among green's manifests.
func (s *scenario) configures(level int) {
	s.t.Helper()
	text := fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: recommendation-green}, data: {LEVEL: %q}}\n", fmt.Sprint(level))
	if err := os.WriteFile(filepath.Join(s.shop.Folder, "deploy", shop.Green, "configuration.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// templates are the hashes of those that a colour's pods are made from, but for pods
// that end.
func (s *scenario) templates(color string) []string {
	s.t.Helper()
	pods, err := s.shop.Pods(s.t.Context(), color)
	if err != nil {
		s.t.Fatal(err)
	}
	var hashes []string
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			hashes = append(hashes, pod.Labels["pod-template-hash"])
		}
	}
	slices.Sort(hashes)
	return slices.Compact(hashes)
}
