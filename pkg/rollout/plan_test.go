package rollout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// manifestsOf has a runner's colour declare one file of manifests.
func manifestsOf(t *testing.T, runner *Runner, color, text string) {
	t.Helper()
	runner.Directory = t.TempDir()
	if err := os.WriteFile(filepath.Join(runner.Directory, "app.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	declared := runner.Release.Spec.Colors[color]
	declared.Manifests = []string{"app.yaml"}
	runner.Release.Spec.Colors[color] = declared
}

// TestDryRunListsEveryWrite holds the plan against what a shift writes: no
// stamp, scaling, spare pod or eviction is left out.
func TestDryRunListsEveryWrite(t *testing.T) {
	const config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n"
	const deployment2 = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop-green}\nspec: {replicas: 2}\n"
	stamps := []string{
		"preflight service/svc:  → stamped with epoch 8",
		"preflight deployment/shop-blue:  → stamped with epoch 8",
		"preflight deployment/shop-green:  → stamped with epoch 8",
	}
	spare := "synthetic pod/shop-blue-spare-…:  → created and deleted: one spare pod, without traffic, shows how pods of blue end"
	move := "switch service/svc: blue=100 → green=100"
	for name, test := range map[string]struct {
		drain     release.Drain
		manifests string
		want      []string
	}{
		"scaled up, waits for the drain": {drain: release.DrainWait, want: append(stamps[:3:3], "apply deployment/shop-green: 0 → 3 replicas", spare, move)},
		"nothing about the old side":     {drain: release.DrainNone, want: append(stamps[:3:3], "apply deployment/shop-green: 0 → 3 replicas", move)},
		"may recycle": {drain: release.DrainAuto, want: append(stamps[:3:3], "apply deployment/shop-green: 0 → 3 replicas", spare, move,
			"drain pods of blue:  → evicted one at a time, if requests remain on blue and its spare pod ended gracefully")},
		"manifests without replicas": {drain: release.DrainNone, manifests: config,
			want: append(stamps[:3:3], "apply configmap/conf:  → applied server-side", "apply deployment/shop-green: 0 → 3 replicas", move)},
		"manifests that scale": {drain: release.DrainNone, manifests: config + "---\n" + deployment2,
			want: append(stamps[:3:3], "apply configmap/conf:  → applied server-side", "apply deployment/shop-green:  → applied server-side", move)},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 3), deployment("green", 0), pod("blue"))
			production.Split, production.Fence.Epoch = traffic.Whole("blue"), 7
			runner.Release.Spec.Traffic.Drain = test.drain
			if test.manifests != "" {
				manifestsOf(t, runner, "green", test.manifests)
			}
			plan, err := runner.DryRun(t.Context(), ShiftRequest{}, false)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, write := range plan.Writes {
				line := string(write.Phase) + " " + write.Object + ": " + write.From + " → " + write.To
				if write.If != "" {
					line += ", if " + write.If
				}
				found = append(found, line)
			}
			if diff := cmp.Diff(test.want, found); diff != "" {
				t.Error(diff)
			}
			if production.Fence.Epoch != 7 || production.Split.Sole() != "blue" {
				t.Errorf("the route was written: %+v", production.Route)
			}
		})
	}
}

// TestManifestsMustNotHoldTheRoute shows that nothing is written where a
// colour's manifests would move traffic by themselves.
func TestManifestsMustNotHoldTheRoute(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 3), deployment("green", 3))
	production.Split = traffic.Whole("blue")
	manifestsOf(t, runner, "green", "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\nspec: {selector: {version: green}}\n")
	_, err := runner.DryRun(t.Context(), ShiftRequest{}, false)
	if err == nil || !strings.Contains(err.Error(), "they hold service/svc, the production route") || release.HintOf(err) == "" {
		t.Errorf("dry run: %v", err)
	}
	if _, err := runner.applyManifests(t.Context(), "green"); err == nil || !strings.Contains(err.Error(), "the production route") {
		t.Errorf("apply: %v", err)
	}
}
