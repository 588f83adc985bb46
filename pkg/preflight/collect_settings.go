package preflight

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// errFilesAlone is why nothing is read that no manifest holds.
var errFilesAlone = errors.New("it is in no manifest, and a pull request is judged by files alone")

// settings are what both colours are configured with, workload by workload. Only
// what the colours do not take from one place is read.
func settings(ctx context.Context, in Inputs, facts *Facts) map[string][]map[string]Setting {
	found := map[string][]map[string]Setting{}
	colors := facts.colors()
	if len(colors) != 2 {
		return found
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // which never fails: see its documentation
	for i, color := range colors {
		other := colors[1-i].Workloads.Value
		read := readOnce(ctx, in, facts, color.Name)
		for at, workload := range color.Workloads.Value {
			if at >= len(other) {
				break
			}
			reader := settingsReader{own: workload.Template, other: other[at].Template, read: read,
				hash: hashUnder(key), marks: marksOf(color, at, other[at].Template)}
			found[color.Name] = append(found[color.Name], reader.settings())
		}
	}
	return found
}

// readOnce reads what a colour's ConfigMaps and Secrets hold, each once: out of its
// manifests where these will be applied, else from the cluster.
func readOnce(ctx context.Context, in Inputs, facts *Facts, color string) reading {
	return readOver(ctx, in, contentsPlanned(toApply(in, facts, color)))
}

// readOver reads what is planned before it asks the cluster.
func readOver(ctx context.Context, in Inputs, planned map[string]contents) reading {
	type answer struct {
		held contents
		err  error
	}
	answers := map[string]answer{}
	return func(object string) (contents, error) {
		if held, found := planned[object]; found {
			return held, nil
		}
		if in.Stage == StagePR {
			return contents{}, errFilesAlone
		}
		found, asked := answers[object]
		if !asked {
			kind, name, _ := strings.Cut(object, "/")
			found.held, found.err = contentsOf(ctx, in, in.namespace(), kind, name)
			answers[object] = found
		}
		return found.held, found.err
	}
}

// contentsOf reads a ConfigMap or Secret: kind is configmap or secret. Its errors are the API
// server's, which quote no value.
func contentsOf(ctx context.Context, in Inputs, namespace, kind, name string) (contents, error) {
	if kind == "configmap" {
		found, err := in.Client.Kubernetes.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return contents{}, cluster.Explain(err)
		}
		return contents{text: found.Data, binary: textByKey(found.BinaryData)}, nil
	}
	found, err := in.Client.Kubernetes.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return contents{}, cluster.Explain(err)
	}
	return contents{text: textByKey(found.Data)}, nil
}

// contentsPlanned are those of the ConfigMaps and Secrets in manifests, but of one
// without any, which somebody else fills in. Files that can't be read have been told
// by the workloads.
func contentsPlanned(files []string) map[string]contents {
	found := map[string]contents{}
	objects, _ := cluster.ReadManifests(files)
	for _, object := range objects {
		if object.GroupVersionKind().Group != "" {
			continue
		}
		switch object.GetKind() {
		case "ConfigMap":
			var config corev1.ConfigMap
			if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &config) == nil {
				found["configmap/"+config.Name] = contents{text: config.Data, binary: textByKey(config.BinaryData)}
			}
		case "Secret":
			var secret corev1.Secret
			if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &secret) == nil {
				held := textByKey(secret.Data)
				maps.Copy(held, secret.StringData)
				found["secret/"+secret.Name] = contents{text: held}
			}
		}
	}
	maps.DeleteFunc(found, func(_ string, held contents) bool { return len(held.text)+len(held.binary) == 0 })
	return found
}

func textByKey(data map[string][]byte) map[string]string {
	text := map[string]string{}
	for key, value := range data {
		text[key] = string(value)
	}
	return text
}

// absent reports whether an error says that there is no such object.
func absent(err error) bool { return apierrors.IsNotFound(err) }
