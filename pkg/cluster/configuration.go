package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// AnnotationConfiguration is, in the pod template of what Apply applies, the sum of the
// ConfigMaps and Secrets that its pods are given. Variables are read when a container
// starts, and most programs read their files then too: without another template a
// change of such an object reaches nobody, and who applies it believes that it runs.
//
// A Secret that is not among what is applied counts by its version, and the sum is cut
// to 32 bits, so that nothing of a value can be told by it.
const AnnotationConfiguration = "bluegreen.dev/configuration"

// WithConfiguration are objects as Apply sends them: each workload with the sum of the
// configuration that its pods will be given, by these objects themselves and by the
// others in the cluster.
func (c *Client) WithConfiguration(ctx context.Context, namespace string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	objects = slices.Clone(objects)
	for i, object := range objects {
		if !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, object.GetKind()) {
			continue
		}
		sum, err := c.configurationOf(ctx, namespace, object, objects)
		if err != nil {
			return nil, err
		}
		if sum == "" {
			continue
		}
		objects[i] = object.DeepCopy()
		if err := unstructured.SetNestedField(objects[i].Object, sum, "spec", "template", "metadata", "annotations", AnnotationConfiguration); err != nil {
			return nil, fmt.Errorf("annotate the pods of %s: %w", object.GetName(), err)
		}
	}
	return objects, nil
}

// configurationOf is the sum of what the pods of a workload are given, "" where that is
// nothing.
func (c *Client) configurationOf(ctx context.Context, namespace string, workload *unstructured.Unstructured, brought []*unstructured.Unstructured) (string, error) {
	var template corev1.PodTemplateSpec
	fields, _, _ := unstructured.NestedMap(workload.Object, "spec", "template")
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &template); err != nil {
		return "", nil //nolint:nilerr // the API server says what is wrong with it
	}
	given := GivenTo(&template.Spec)
	if len(given) == 0 {
		return "", nil
	}
	sum := sha256.New()
	for _, one := range given {
		content, err := contentOf(one, brought), error(nil)
		if content == "" {
			content, err = c.standing(ctx, namespace, one)
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d %s\n", one, len(content), content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

// contentOf is what an object among others holds, "" where it isn't among them.
func contentOf(one Given, objects []*unstructured.Unstructured) string {
	at := slices.IndexFunc(objects, func(object *unstructured.Unstructured) bool {
		return strings.EqualFold(object.GetKind(), one.Kind) && object.GetName() == one.Name
	})
	if at < 0 {
		return ""
	}
	values := map[string]any{}
	for _, field := range []string{"data", "binaryData"} {
		held, _, _ := unstructured.NestedMap(objects[at].Object, field)
		for key, value := range held {
			values[key] = value
		}
	}
	plain, _, _ := unstructured.NestedStringMap(objects[at].Object, "stringData")
	for key, value := range plain { // over what data holds
		values[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return canonical(values)
}

// standing tells what an object in the cluster holds from what it held before.
func (c *Client) standing(ctx context.Context, namespace string, one Given) (string, error) {
	var content string
	var err error
	if one.Kind == KindSecret {
		var found *corev1.Secret
		if found, err = c.Kubernetes.CoreV1().Secrets(namespace).Get(ctx, one.Name, metav1.GetOptions{}); err == nil {
			content = string(found.UID) + " " + found.ResourceVersion
		}
	} else {
		var found *corev1.ConfigMap
		if found, err = c.Kubernetes.CoreV1().ConfigMaps(namespace).Get(ctx, one.Name, metav1.GetOptions{}); err == nil {
			content = contentOfMap(found)
		}
	}
	switch {
	case apierrors.IsNotFound(err):
		return "absent", nil
	case apierrors.IsForbidden(err): // a shift does without the right
		return "unread", nil
	case err != nil:
		return "", fmt.Errorf("read %s: %w", one, err)
	}
	return content, nil
}

func contentOfMap(found *corev1.ConfigMap) string {
	values := map[string]any{}
	for key, value := range found.Data {
		values[key] = value
	}
	for key, value := range found.BinaryData {
		values[key] = base64.StdEncoding.EncodeToString(value)
	}
	return canonical(values)
}

// canonical is one text for the same values.
func canonical(values map[string]any) string {
	text, err := json.Marshal(values) // which sorts by the keys
	if err != nil {
		return "" // they were read from JSON
	}
	return string(text)
}
