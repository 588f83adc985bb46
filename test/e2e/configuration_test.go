package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A release that changes a ConfigMap alone is one: the Deployment stays as it was, and
// its pods are made anew all the same. The next shift, of which nothing is new, leaves
// them.
func TestConfigurationAloneIsARelease(t *testing.T) {
	s := open(t, shop.Options{Green: configured()})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()
	s.configures(2)
	s.run(rollout.CodeDone, "shift")
	s.run(rollout.CodeDone, "rollback")
	first := s.podsOf(shop.Green)

	s.configures(3)
	s.run(rollout.CodeDone, "shift")
	s.serves(shop.Green)
	second := s.podsOf(shop.Green)
	for name := range second {
		if first[name] {
			t.Errorf("pod %s has the configuration of before", name)
		}
	}

	s.run(rollout.CodeDone, "rollback")
	s.run(rollout.CodeDone, "shift")
	s.lostNothing("three shifts and two rollbacks", run.Counts().Since(before))
	for name := range s.podsOf(shop.Green) {
		if !second[name] {
			t.Errorf("pod %s was made though nothing was new", name)
		}
	}
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

// podsOf are the names of a colour's pods that don't end.
func (s *scenario) podsOf(color string) map[string]bool {
	s.t.Helper()
	pods, err := s.shop.Pods(s.t.Context(), color)
	if err != nil {
		s.t.Fatal(err)
	}
	names := map[string]bool{}
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			names[pod.Name] = true
		}
	}
	return names
}
