package postgres

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Place is a field of an object, as its manifest has it.
type Place struct {
	// Object is kind/name.
	Object string `json:"object"`
	// Field is its path, such as spec.template.spec.containers[0].env[2].value.
	Field string `json:"field"`
}

func (i PoolInput) template() []Place {
	return []Place{{Object: i.Workload, Field: "spec.template.spec"}}
}

func (i PoolInput) annotation() []Place {
	return []Place{{Object: i.Workload, Field: "spec.template.metadata.annotations." + AnnotationPoolSize}}
}

// container is a field of the container at a place in the pod.
func (i PoolInput) container(at int, field string) []Place {
	path, _ := containerAt(i.Template.Spec, at)
	return []Place{{Object: i.Workload, Field: path + "." + field}}
}

// containerAt is one of those that run, and its path.
func containerAt(spec corev1.PodSpec, at int) (path string, container corev1.Container) {
	sidecars := len(running(spec)) - len(spec.Containers)
	if at >= sidecars {
		return fmt.Sprintf("spec.template.spec.containers[%d]", at-sidecars), spec.Containers[at-sidecars]
	}
	container = running(spec)[at]
	index := slices.IndexFunc(spec.InitContainers, func(one corev1.Container) bool { return one.Name == container.Name })
	return fmt.Sprintf("spec.template.spec.initContainers[%d]", index), container
}

// places are where what a variable or an argument says stands: the key of what holds
// it, and where the container takes it from.
func (i PoolInput) places(v variable) []Place {
	_, container := containerAt(i.Template.Spec, v.at)
	if v.name == "" {
		return i.container(v.at, wordOf(container, v.word))
	}
	var found []Place
	if kind, _, referred := strings.Cut(v.origin, "/"); referred {
		found = append(found, Place{Object: v.origin, Field: "data." + v.key})
		if kind == "secret" { // whose manifest has it as one or the other
			found = append(found, Place{Object: v.origin, Field: "stringData." + v.key})
		}
	}
	return append(found, i.container(v.at, takenFrom(container, v))...)
}

// takenFrom is the field by which a container has a variable.
func takenFrom(container corev1.Container, v variable) string {
	for index, env := range slices.Backward(container.Env) {
		if env.Name == v.name && v.origin == "" {
			return fmt.Sprintf("env[%d].value", index)
		}
		if env.Name == v.name {
			return fmt.Sprintf("env[%d].valueFrom", index)
		}
	}
	for index, from := range slices.Backward(container.EnvFrom) {
		config, secret := from.ConfigMapRef, from.SecretRef
		if config != nil && v.origin == "configmap/"+config.Name || secret != nil && v.origin == "secret/"+secret.Name {
			return fmt.Sprintf("envFrom[%d]", index)
		}
	}
	return "env"
}

// flag are where the value of an argument of a name stands, or the variable by which
// a runtime takes it.
func (i PoolInput) flag(environment environment, name string) []Place {
	for index, argument := range environment.arguments {
		if !strings.Contains(argument.value, name) {
			continue
		}
		next := index + 1
		if argument.value == name && next < len(environment.arguments) {
			argument = environment.arguments[next]
		}
		return i.places(argument)
	}
	for _, variable := range environment.variables {
		if strings.Contains(variable.value, name) {
			return i.places(variable)
		}
	}
	return i.template()
}

// wordOf is the field of a word of a container's command and arguments.
func wordOf(container corev1.Container, word int) string {
	if word < len(container.Command) {
		return fmt.Sprintf("command[%d]", word)
	}
	return fmt.Sprintf("args[%d]", word-len(container.Command))
}
