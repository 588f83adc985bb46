package preflight

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// Setting is the value of a variable, or of a file that is mounted, of a container.
// The value itself is kept nowhere.
type Setting struct {
	// From is where it stands: secret/NAME key KEY, configmap/NAME key KEY, or the
	// template.
	From string
	// Raw is the same for values that are, Hash for those that are but for what the
	// version itself explains. They are under a key that nobody keeps, so that
	// nothing can be guessed by them. "" where both colours take the value from one
	// place.
	Raw  string `json:",omitempty"`
	Hash string `json:",omitempty"`
	// Unread is why it could not be read, Forbidden that a right is what lacks.
	Unread    string `json:",omitempty"`
	Forbidden bool   `json:",omitempty"`
}

// alike reports whether two values are the same, as they stand or but for what the
// versions explain: where one colour's version is a word of a value that both have,
// the value is the same only as it stands.
func (s Setting) alike(other Setting) bool {
	return s.Hash == other.Hash || s.Raw != "" && s.Raw == other.Raw
}

// unreadFrom is a setting that could not be read.
func unreadFrom(from string, err error) Setting {
	return Setting{From: from, Unread: err.Error(), Forbidden: apierrors.IsForbidden(err)}
}

// fromTemplate is the From of a value that stands in the pod template.
const fromTemplate = "the template"

// contents are what a ConfigMap or a Secret holds.
type contents struct {
	// text may be variables and files, binary is only files.
	text, binary map[string]string
}

// reading reads what kind/name holds, of a colour.
type reading func(object string) (contents, error)

// lookup is the same for what knows no files.
func (r reading) lookup() postgres.Lookup {
	return func(_ context.Context, kind, name string) (map[string]string, error) {
		held, err := r(kind + "/" + name)
		return held.text, err
	}
}

// settingsReader makes the settings of one workload of a colour, beside the one
// that it is compared to.
type settingsReader struct {
	own, other corev1.PodTemplateSpec
	read       reading
	// hash hashes a value but for what the marks explain.
	hash  func(value string, marks []mark) string
	marks []mark
	found map[string]Setting
}

// valueFrom is a setting that was read.
func (r *settingsReader) valueFrom(from, value string) Setting {
	return Setting{From: from, Raw: r.hash(value, nil), Hash: r.hash(value, r.marks)}
}

// settings are those of the containers, by what they are for people. What both
// templates take from one place as a whole is left out.
func (r *settingsReader) settings() map[string]Setting {
	r.found = map[string]Setting{}
	for _, container := range r.own.Spec.Containers {
		where := ""
		if max(len(r.own.Spec.Containers), len(r.other.Spec.Containers)) > 1 {
			where = "containers[" + container.Name + "] "
		}
		for _, from := range container.EnvFrom {
			if !r.sharesEnvFrom(container.Name, from) {
				r.expand(where, from)
			}
		}
		for _, variable := range container.Env {
			r.variable(where+"env "+variable.Name, variable)
		}
		for _, mount := range container.VolumeMounts {
			for _, source := range mountedBy(r.own.Spec, mount) {
				if !r.sharesMount(container.Name, source) {
					r.files(where+"file ", source)
				}
			}
		}
	}
	return r.found
}

func (r *settingsReader) expand(where string, from corev1.EnvFromSource) {
	object, optional := objectOf(from)
	held, err := r.read(object)
	switch {
	case object == "":
	case absent(err) && optional:
	case err != nil:
		r.found[where+"envFrom "+object] = unreadFrom(object, err)
	}
	for key, value := range held.text {
		r.found[where+"env "+from.Prefix+key] = r.valueFrom(object+" key "+key, value)
	}
}

// objectOf is kind/name of what variables are taken from.
func objectOf(from corev1.EnvFromSource) (object string, optional bool) {
	switch {
	case from.SecretRef != nil:
		return "secret/" + from.SecretRef.Name, isTrue(from.SecretRef.Optional)
	case from.ConfigMapRef != nil:
		return "configmap/" + from.ConfigMapRef.Name, isTrue(from.ConfigMapRef.Optional)
	}
	return "", false
}

func (r *settingsReader) sharesEnvFrom(container string, from corev1.EnvFromSource) bool {
	object, _ := objectOf(from)
	return slices.ContainsFunc(containerNamed(r.other.Spec, container).EnvFrom, func(other corev1.EnvFromSource) bool {
		shared, _ := objectOf(other)
		return shared == object && other.Prefix == from.Prefix
	})
}

func (r *settingsReader) variable(name string, variable corev1.EnvVar) {
	object, key, optional := "", "", false
	switch from := variable.ValueFrom; {
	case from == nil:
		r.found[name] = r.valueFrom(fromTemplate, variable.Value)
		return
	case from.SecretKeyRef != nil:
		object, key, optional = "secret/"+from.SecretKeyRef.Name, from.SecretKeyRef.Key, isTrue(from.SecretKeyRef.Optional)
	case from.ConfigMapKeyRef != nil:
		object, key, optional = "configmap/"+from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, isTrue(from.ConfigMapKeyRef.Optional)
	default: // a field of the pod, which is every pod's own
		return
	}
	setting := Setting{From: object + " key " + key}
	if r.takes(variable) {
		r.found[name] = setting
		return
	}
	held, err := r.read(object)
	value, has := held.text[key]
	switch {
	case err != nil && (!optional || !absent(err)):
		setting = unreadFrom(setting.From, err)
	case !has && optional:
		return
	case !has:
		setting.Unread = object + " has no key " + key
	default:
		setting = r.valueFrom(setting.From, value)
	}
	r.found[name] = setting
}

// takes reports whether the other template takes a variable from the same place.
func (r *settingsReader) takes(variable corev1.EnvVar) bool {
	same := func(one, other *corev1.EnvVarSource) bool {
		switch {
		case other == nil:
			return false
		case one.SecretKeyRef != nil && other.SecretKeyRef != nil:
			return one.SecretKeyRef.Name == other.SecretKeyRef.Name && one.SecretKeyRef.Key == other.SecretKeyRef.Key
		case one.ConfigMapKeyRef != nil && other.ConfigMapKeyRef != nil:
			return one.ConfigMapKeyRef.Name == other.ConfigMapKeyRef.Name && one.ConfigMapKeyRef.Key == other.ConfigMapKeyRef.Key
		}
		return false
	}
	var all []corev1.EnvVar
	for _, container := range r.other.Spec.Containers {
		all = append(all, container.Env...)
	}
	return slices.ContainsFunc(all, func(other corev1.EnvVar) bool {
		return other.Name == variable.Name && same(variable.ValueFrom, other.ValueFrom)
	})
}

func containerNamed(spec corev1.PodSpec, name string) corev1.Container {
	for _, container := range spec.Containers {
		if container.Name == name {
			return container
		}
	}
	return corev1.Container{}
}

func isTrue(flag *bool) bool { return flag != nil && *flag }
