package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const placedRelease = `apiVersion: bluegreen.dev/v1alpha1
kind: Release
metadata: {name: shop, namespace: store}
spec:
  colors:
    blue: {workloads: [deployment/shop-blue], selector: {version: blue}, service: svc-blue}
    green:
      workloads: [deployment/shop-green]
      selector: {version: green}
      manifests: [green.yaml]
  traffic: {service: {name: svc-production}}
  database:
  - name: main
    observe: {dsn: {secretKeyRef: {name: monitor, key: url}}}
`

const placedManifest = `kind: Deployment
apiVersion: apps/v1
metadata: {name: shop-green}
spec:
  selector: {matchLabels: {version: green}}
  template:
    metadata: {labels: {version: green}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: proxy
        image: proxy:v1
      - name: app
        image: shop
`

// A finding says in which file, line and column it is put right.
func TestFindingsAreLocated(t *testing.T) {
	directory := t.TempDir()
	for name, text := range map[string]string{"bluegreen.yaml": placedRelease, "green.yaml": placedManifest} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	document, manifest := filepath.Join(directory, "bluegreen.yaml"), filepath.Join(directory, "green.yaml")
	loaded, err := release.Load(document)
	if err != nil {
		t.Fatal(err)
	}
	facts := Collect(t.Context(), Inputs{
		Release: loaded.Release, Document: document, Positions: loaded.Positions(), Stage: StagePR,
		Manifests: map[string][]string{"blue": loaded.Manifests("blue"), "green": loaded.Manifests("green")},
		Clock:     testingclock.NewFakeClock(time.Unix(0, 0)),
	})
	report := Evaluate(facts, Catalogue(), StagePR)
	if report.Document != document {
		t.Errorf("the report is about %q", report.Document)
	}
	got := map[string]release.Position{}
	for _, finding := range report.Findings {
		if finding.Position != nil {
			got[finding.ID+" "+finding.Subject] = *finding.Position
		}
	}
	for finding, want := range map[string]release.Position{
		"BG-COL-12 deployment/shop-green":    {File: manifest, Line: 14, Column: 16},
		"BG-COL-13 deployment/shop-green":    {File: manifest, Line: 9, Column: 38},
		"BG-COL-02 deployment/shop-green":    {File: manifest, Line: 11, Column: 7},
		"BG-COL-12 manifests of colour blue": {File: document, Line: 6, Column: 11},
		"BG-COL-15 manifests of green":       {File: document, Line: 10, Column: 18},
	} {
		if got[finding] != want {
			t.Errorf("%s stands at %+v, want %+v; all: %v", finding, got[finding], want, got)
		}
	}
}

func TestSubjectsInTheRelease(t *testing.T) {
	facts := healthy()
	for subject, want := range map[string]string{
		"deployment/shop-green":      "spec.colors.green.workloads[0]",
		"service/svc-blue":           "spec.colors.blue.service",
		"colour green":               "spec.colors.green",
		"manifests of blue":          "spec.colors.blue.manifests",
		"service/svc-production":     "spec.traffic.service",
		"database main":              "spec.database[0]",
		"session with database main": "spec.database[0]",
		"prometheus":                 "spec.metrics.prometheus",
		"nodes":                      "",
		"deployment/else":            "",
	} {
		if got := releaseField(facts, subject); got != want {
			t.Errorf("%s is declared at %q, want %q", subject, got, want)
		}
	}
}

// What the colours differ in, and a route among manifests, is told at the manifest.
func TestDifferencesAreLocated(t *testing.T) {
	const blue = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-blue}
spec:
  selector: {matchLabels: {version: blue}}
  template:
    metadata: {labels: {version: blue}}
    spec:
      serviceAccountName: shop
      containers:
      - name: app
        image: shop:v1
        env:
        - {name: POOL, value: "5"}
`
	directory := t.TempDir()
	green := strings.NewReplacer("blue", "green", "serviceAccountName: shop\n", "serviceAccountName: elsewhere\n", `"5"`, `"9"`).Replace(blue) +
		"        - {name: EXTRA, value: x}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: svc-production}\n"
	document := strings.ReplaceAll(placedRelease, "service: svc-blue", "manifests: [blue.yaml]")
	for name, text := range map[string]string{"bluegreen.yaml": document, "blue.yaml": blue, "green.yaml": green} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := release.Load(filepath.Join(directory, "bluegreen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	report := Evaluate(Collect(t.Context(), Inputs{
		Release: loaded.Release, Document: loaded.Path, Positions: loaded.Positions(), Stage: StagePR,
		Manifests: map[string][]string{"blue": loaded.Manifests("blue"), "green": loaded.Manifests("green")},
		Clock:     testingclock.NewFakeClock(time.Unix(0, 0)),
	}), Catalogue(), StagePR)
	got := map[string]int{}
	for _, finding := range report.Findings {
		if finding.Position != nil && finding.Position.File == filepath.Join(directory, "green.yaml") {
			got[finding.ID+" "+finding.Subject] = finding.Position.Line
		}
	}
	for finding, want := range map[string]int{
		"BG-COL-14 blue and green":                                 15,
		"BG-COL-14 deployment/shop-blue and deployment/shop-green": 14,
		"BG-COL-15 manifests of green":                             17,
		"BG-COL-16 deployment/shop-blue and deployment/shop-green": 9,
	} {
		if got[finding] != want {
			t.Errorf("%s stands at line %d of green's manifest, want %d", finding, got[finding], want)
		}
	}
}
