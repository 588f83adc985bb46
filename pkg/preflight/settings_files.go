package preflight

import (
	"fmt"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

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
		if !source.optional || !absent(err) {
			r.found[where+source.path] = unreadFrom(source.object, err)
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
			r.found[where+name] = r.valueFrom(source.object+" key "+key, value)
		}
	}
}
