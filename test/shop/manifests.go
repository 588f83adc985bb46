package shop

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// deployFolder is where the example's manifests are.
func (p *Place) deployFolder() string {
	return filepath.Join(p.Source, "examples", "recommendation", "deploy")
}

// production is the manifest of the production route.
const production = "production.yaml"

// defaultReplicas of each colour.
const defaultReplicas = 2

// writeManifests copies the example's manifests into the folder deploy of the
// shop, with the namespace and the slots' own changes.
func (s *Shop) writeManifests() error {
	slots := map[string]Slot{Blue: s.options.Blue, Green: s.options.Green}
	for color, slot := range slots {
		if err := s.WriteSlot(color, slot); err != nil {
			return err
		}
	}
	text, err := s.kind.manifest(s)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if err := s.write(production, text, unchanged); err != nil || s.kind.entrance == nil {
		return err
	}
	return s.write(entrance, s.kind.entrance(s), unchanged)
}

// unchanged leaves a manifest as it is.
func unchanged(map[string]any) error { return nil }

// WriteSlot writes the manifests of one colour anew, for another version to
// go into it.
func (s *Shop) WriteSlot(color string, slot Slot) error {
	if slot.Replicas == 0 {
		slot.Replicas = defaultReplicas
	}
	slot.Env = s.options.environment(slot)
	for _, file := range []string{"service.yaml", "poddisruptionbudget.yaml"} {
		if err := s.rewrite(filepath.Join(color, file), unchanged); err != nil {
			return err
		}
	}
	return s.rewrite(filepath.Join(color, "deployment.yaml"), slot.change)
}

// rewrite copies one of the example's manifests with a change.
func (s *Shop) rewrite(file string, change func(object map[string]any) error) error {
	text, err := os.ReadFile(filepath.Join(s.place.deployFolder(), file))
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	return s.write(file, text, change)
}

// write puts a manifest into the folder, in the shop's namespace and with a
// change.
func (s *Shop) write(file string, text []byte, change func(object map[string]any) error) error {
	object := map[string]any{}
	if err := yaml.Unmarshal(text, &object); err != nil {
		return fmt.Errorf("read manifest %s: %w", file, err)
	}
	metadata, _ := object["metadata"].(map[string]any)
	metadata["namespace"] = s.Namespace
	if err := change(object); err != nil {
		return fmt.Errorf("change manifest %s: %w", file, err)
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		return fmt.Errorf("write manifest %s: %w", file, err)
	}
	target := filepath.Join(s.Folder, "deploy", file)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := os.WriteFile(target, text, 0o644); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// change makes a Deployment the slot's. It goes through the typed object, and
// takes out again what only a server fills in.
func (slot Slot) change(object map[string]any) error {
	text, err := yaml.Marshal(object)
	if err != nil {
		return err
	}
	deployment := &appsv1.Deployment{}
	if err := yaml.UnmarshalStrict(text, deployment); err != nil {
		return err
	}
	deployment.Spec.Replicas = &slot.Replicas
	container := &deployment.Spec.Template.Spec.Containers[0]
	patientProbes(container)
	set := maps.Clone(slot.Env)
	if slot.Version != "" {
		container.Image = Image(slot.Version)
		set["VERSION"] = slot.Version
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		container.Env = slices.DeleteFunc(container.Env, func(known corev1.EnvVar) bool { return known.Name == name })
		container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: set[name]})
	}
	if slot.Pod != nil {
		slot.Pod(&deployment.Spec.Template.Spec)
	}
	if text, err = yaml.Marshal(deployment); err != nil {
		return err
	}
	clear(object)
	if err := yaml.Unmarshal(text, &object); err != nil {
		return err
	}
	delete(object, "status")
	return nil
}

// patientProbes lets a pod be slow to answer: on a busy machine with two
// cores an answer may take seconds, and that is not what is tested. A process
// that is gone is seen without them.
func patientProbes(container *corev1.Container) {
	for _, probe := range []*corev1.Probe{container.ReadinessProbe, container.LivenessProbe} {
		probe.TimeoutSeconds, probe.FailureThreshold = 10, 5
	}
	container.ReadinessProbe.PeriodSeconds = 1
}
