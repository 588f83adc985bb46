package cluster_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

const mistaken = `apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {password: 123456}
data: {key: "§ canary"}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  lables: {app: shop}
spec:
  replicas: three
  template:
    spec:
      containers:
      - name: app
        imagee:
          name: shop
        resources:
          limits:
            memory: plenty
        ports:
        - containerPort: "80"
        env:
        - name: RETRIES
          value: 5
---
kind: Deployment
  bad: [
---
apiVersion: v1
kind: List
items:
- apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: shop}
  spec: {maxReplicas: 99999999999, behavior: fast}
---
apiVersion: example.com/v1
kind: Whatever
metadata: {name: own}
spec: {replicas: three}
`

// Every mistake is told at its line, with the field, what was expected and what to
// write, and without the value.
func TestManifestMistakes(t *testing.T) {
	directory := writeFiles(t, map[string]string{"a.yaml": mistaken, "good.yaml": goodManifests})
	missing := filepath.Join(directory, "nowhere")
	found := cluster.ManifestMistakes([]string{directory, filepath.Join(directory, "good.yaml"), missing})
	var got []string
	for _, mistake := range found[0] {
		got = append(got, strings.ReplaceAll(mistake.Error(), directory+string(filepath.Separator), "")+" | "+mistake.Remedy)
	}
	const prefix = "read manifests a.yaml:"
	want := []string{
		prefix + "4: stringData.password: expected text, found a whole number | put the value in quotes",
		prefix + "5: data.key: expected text in base64, found text | write text in base64 there",
		prefix + "11: metadata.lables: unknown field | did you mean \"labels\"?",
		prefix + "13: spec.replicas: expected a whole number, found text | write a whole number there",
		prefix + "18: spec.template.spec.containers[0].imagee: unknown field | did you mean \"image\"?",
		prefix + "22: spec.template.spec.containers[0].resources.limits.memory: expected a quantity such as 500m or 128Mi, found text | write a quantity such as 500m or 128Mi there",
		prefix + "24: spec.template.spec.containers[0].ports[0].containerPort: expected a whole number, found text | write a whole number there",
		prefix + "27: spec.template.spec.containers[0].env[0].value: expected text, found a whole number | put the value in quotes",
		prefix + "30: mapping values are not allowed in this context | mend the YAML at that line",
		prefix + "38: items[0].spec.behavior: expected a mapping, found text | write a mapping there",
		prefix + "38: items[0].spec.maxReplicas: expected a whole number, found one that is too large | write a whole number there",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(found[1]) != 0 {
		t.Errorf("a healthy file has mistakes: %v", found[1])
	}
	if len(found[2]) != 1 || found[2][0].Message != "no such file or directory" || found[2][0].Position() != nil {
		t.Errorf("a folder that is not there is told as %+v", found[2])
	}
}

// What the kinds take in more than one form is no mistake.
func TestManifestsInEveryFormAreRead(t *testing.T) {
	const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, creationTimestamp: null}
spec:
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}
  template:
    spec:
      tolerations:
      containers:
      - name: app
        resources: &same {requests: {cpu: 1, memory: 64Mi}, limits: {cpu: 0.5}}
        readinessProbe: {httpGet: {port: 80}}
        livenessProbe: {httpGet: {port: http}}
        envFrom: [{configMapRef: {name: settings, optional: true}}]
      - name: side
        resources: *same
      volumes:
      - {name: a, configMap: {name: settings}}
status: {}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
data: {key: Y2FuYXJ5}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: a.example.com}
spec: {anything: goes}
`
	if found := cluster.ManifestMistakes([]string{writeFiles(t, map[string]string{"a.yaml": text})}); len(found) != 0 {
		t.Errorf("mistakes in what is right: %v", found)
	}
}
