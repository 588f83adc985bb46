package preflight

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
)

// Setting is the value of a variable, or of a file that is mounted, of a container.
// The value itself is kept nowhere.
type Setting struct {
	// From is where it stands: secret/NAME key KEY, configmap/NAME key KEY, or the
	// template.
	From string
	// Hash is the same for values that are, but for what the version itself
	// explains. It is under a key that nobody keeps, so that nothing can be guessed
	// by it. "" where both colours take the value from one place.
	Hash string `json:",omitempty"`
	// Unread is why it could not be read.
	Unread string `json:",omitempty"`
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

// settingsReader makes the settings of one workload of a colour, beside the one
// that it is compared to.
type settingsReader struct {
	own, other corev1.PodTemplateSpec
	read       reading
	hash       func(value string) string
	found      map[string]Setting
}

// settings are those of the containers, by what they are for people. What both
// templates take from one place as a whole is left out.
func (r *settingsReader) settings() map[string]Setting {
	r.found = map[string]Setting{}
	for _, container := range r.own.Spec.Containers {
		where := ""
		if len(r.own.Spec.Containers) > 1 {
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
		r.found[where+"envFrom "+object] = Setting{From: object, Unread: err.Error()}
	}
	for key, value := range held.text {
		r.found[where+"env "+from.Prefix+key] = Setting{From: object + " key " + key, Hash: r.hash(value)}
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
		r.found[name] = Setting{From: fromTemplate, Hash: r.hash(variable.Value)}
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
	case err != nil && !(absent(err) && optional):
		setting.Unread = err.Error()
	case !has && optional:
		return
	case !has:
		setting.Unread = object + " has no key " + key
	default:
		setting.Hash = r.hash(value)
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

// mounted is a ConfigMap or Secret in the files of a container.
type mounted struct {
	object, path, subPath string
	// items are the paths by key, nil for all keys by their names.
	items    map[string]string
	optional bool
}

func (m mounted) String() string { return fmt.Sprint(m.object, m.path, m.subPath, m.items) }

// mountedBy are what a mount brings.
func mountedBy(spec corev1.PodSpec, mount corev1.VolumeMount) []mounted {
	at := slices.IndexFunc(spec.Volumes, func(volume corev1.Volume) bool { return volume.Name == mount.Name })
	if at < 0 {
		return nil
	}
	var found []mounted
	add := func(object string, items []corev1.KeyToPath, optional *bool) {
		one := mounted{object: object, path: mount.MountPath, subPath: mount.SubPath, optional: isTrue(optional)}
		for _, item := range items {
			if one.items == nil {
				one.items = map[string]string{}
			}
			one.items[item.Key] = item.Path
		}
		found = append(found, one)
	}
	volume := spec.Volumes[at]
	if volume.ConfigMap != nil {
		add("configmap/"+volume.ConfigMap.Name, volume.ConfigMap.Items, volume.ConfigMap.Optional)
	}
	if volume.Secret != nil {
		add("secret/"+volume.Secret.SecretName, volume.Secret.Items, volume.Secret.Optional)
	}
	if volume.Projected == nil {
		return found
	}
	for _, source := range volume.Projected.Sources {
		if source.ConfigMap != nil {
			add("configmap/"+source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
		}
		if source.Secret != nil {
			add("secret/"+source.Secret.Name, source.Secret.Items, source.Secret.Optional)
		}
	}
	return found
}

func (r *settingsReader) sharesMount(container string, source mounted) bool {
	for _, mount := range containerNamed(r.other.Spec, container).VolumeMounts {
		for _, other := range mountedBy(r.other.Spec, mount) {
			if other.String() == source.String() {
				return true
			}
		}
	}
	return false
}

// files are those that a ConfigMap or Secret brings.
func (r *settingsReader) files(where string, source mounted) {
	held, err := r.read(source.object)
	if err != nil {
		if !(absent(err) && source.optional) {
			r.found[where+source.path] = Setting{From: source.object, Unread: err.Error()}
		}
		return
	}
	for _, values := range []map[string]string{held.text, held.binary} {
		for key, value := range values {
			file := key
			if source.items != nil {
				file = source.items[key]
			}
			name := path.Join(source.path, file)
			switch {
			case file == "", source.subPath != "" && source.subPath != file:
				continue
			case source.subPath != "":
				name = source.path
			}
			r.found[where+name] = Setting{From: source.object + " key " + key, Hash: r.hash(value)}
		}
	}
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

// mark is a text that the version of a colour explains, and what stands for it.
type mark struct{ text, instead string }

// marksOf are the texts in values that are the version's own: the name of the
// colour, those of its Service and workloads, the labels that the other colour has
// otherwise, and the tags and digests of its images.
func marksOf(color Color, at int, other corev1.PodTemplateSpec) []mark {
	template := color.Workloads.Value[at].Template
	marks := []mark{{color.Name, "‹color›"}, {strings.ToUpper(color.Name), "‹color›"}, {color.Declared.Service, "‹service›"}}
	for index, workload := range color.Declared.Workloads {
		marks = append(marks, mark{workload.Name, fmt.Sprintf("‹workload %d›", index)})
	}
	for name, value := range template.Labels {
		if other.Labels[name] != value {
			marks = append(marks, mark{value, "‹version›"}, mark{strings.TrimPrefix(value, "v"), "‹version›"})
		}
	}
	for _, container := range template.Spec.Containers {
		image, digest, _ := strings.Cut(container.Image, "@")
		marks = append(marks, mark{digest, "‹version›"})
		if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
			marks = append(marks, mark{image[at+1:], "‹version›"}, mark{strings.TrimPrefix(image[at+1:], "v"), "‹version›"})
		}
	}
	marks = slices.DeleteFunc(marks, func(one mark) bool { return !explains(one.text) })
	slices.SortStableFunc(marks, func(a, b mark) int { return len(b.text) - len(a.text) })
	return marks
}

// explains reports whether a text is a version or a name and not any number: a
// pool of 5 is not explained by an image of the tag 5.
func explains(text string) bool {
	return len(text) > 1 && strings.ContainsFunc(text, func(letter rune) bool { return unicode.IsLetter(letter) || letter == '.' })
}

// explained is a value with what the version explains taken out.
func explained(value string, marks []mark) string {
	for _, one := range marks {
		value = replaceWord(value, one)
	}
	return value
}

// replaceWord replaces a text where it is no part of a longer word.
func replaceWord(value string, one mark) string {
	var written strings.Builder
	for {
		at := strings.Index(value, one.text)
		if at < 0 {
			written.WriteString(value)
			return written.String()
		}
		end := at + len(one.text)
		before, _ := utf8.DecodeLastRuneInString(value[:at])
		after, _ := utf8.DecodeRuneInString(value[end:])
		written.WriteString(value[:at])
		if at > 0 && isWord(before) || end < len(value) && isWord(after) {
			written.WriteString(one.text)
		} else {
			written.WriteString(one.instead)
		}
		value = value[end:]
	}
}

func isWord(letter rune) bool { return unicode.IsLetter(letter) || unicode.IsDigit(letter) }

// hashUnder hashes values under a key, without what marks explain.
func hashUnder(key []byte, marks []mark) func(string) string {
	return func(value string) string {
		sum := hmac.New(sha256.New, key)
		sum.Write([]byte(explained(value, marks)))
		return hex.EncodeToString(sum.Sum(nil)[:16])
	}
}
