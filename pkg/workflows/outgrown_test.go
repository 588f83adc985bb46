package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A workflow that was edited is told what the release has outgrown, and of the edits
// nothing.
func TestOutgrown(t *testing.T) {
	manifests := func(paths ...string) func(*release.Release, *Options) {
		return func(rel *release.Release, _ *Options) {
			blue := rel.Spec.Colors["blue"]
			blue.Manifests = paths
			rel.Spec.Colors["blue"] = blue
		}
	}
	moving, lasting := manifests("manifests/blue/"), func(rel *release.Release, _ *Options) { rel.Spec.Traffic.Watch = release.Duration(8 * time.Hour) }
	edited := strings.NewReplacer("ubuntu-latest", "[self-hosted]", "timeout-minutes: 15", "timeout-minutes: 20",
		"      - \"bluegreen.yaml\"\n", "      - \"bluegreen.yaml\"\n      - \"chart/**\"\n", "on-cancel: rollback", "on-cancel: handover")
	for name, test := range map[string]struct {
		kind   Kind
		edit   *strings.Replacer
		change func(*release.Release, *Options)
		want   []string
	}{
		"as it was written":        {kind: Deploy},
		"edited":                   {kind: Deploy, edit: edited},
		"every push":               {kind: Deploy, edit: strings.NewReplacer("    paths:", "    tags:"), change: moving},
		"by hand alone":            {kind: Deploy, edit: strings.NewReplacer("  push:", "  workflow_call:"), change: moving},
		"a list of events":         {kind: Deploy, edit: strings.NewReplacer("on:\n  push:", "on: [push]\nbefore:\n  push:"), change: moving},
		"a longer watch":           {kind: Deploy, edit: edited, change: lasting, want: []string{"job shift ends after 48 minutes, and by the deadlines of the release it may take longer: timeout-minutes: 518"}},
		"GitHub's own limit":       {kind: Deploy, edit: strings.NewReplacer("    timeout-minutes: 48\n", ""), change: lasting, want: []string{"job shift ends after 360 minutes, and by the deadlines of the release it may take longer: timeout-minutes: 518"}},
		"a limit that is enough":   {kind: Deploy, edit: strings.NewReplacer("timeout-minutes: 48", "timeout-minutes: 600"), change: lasting},
		"a limit by a variable":    {kind: Deploy, edit: strings.NewReplacer("timeout-minutes: 48", "timeout-minutes: ${{ fromJSON(vars.LIMIT) }}"), change: lasting},
		"a limit of half minutes":  {kind: Deploy, edit: strings.NewReplacer("timeout-minutes: 48", "timeout-minutes: 47.5"), want: []string{"job shift ends after 47.5 minutes, and by the deadlines of the release it may take longer: timeout-minutes: 48"}},
		"wider paths":              {kind: Deploy, edit: strings.NewReplacer("      - \"deploy/blue/**\"\n      - \"deploy/green/**\"\n", "      - deploy/**\n")},
		"paths that are taken out": {kind: Deploy, edit: strings.NewReplacer("      - \"deploy/green/**\"\n", "      - \"deploy/green/**\"\n      - \"!deploy/**\"\n      - deploy/green/**\n"), want: []string{`on.push.paths lacks "deploy/blue/**"`}},
		"a path like another":      {kind: Deploy, edit: strings.NewReplacer("\"deploy/blue/**\"", "deploy/bl**"), want: []string{`on.push.paths lacks "deploy/blue/**"`}},
		"paths to be ignored":      {kind: Deploy, edit: strings.NewReplacer("    paths:", "    paths-ignore:"), want: []string{`on.push.paths-ignore leaves out "bluegreen.yaml"`, `on.push.paths-ignore leaves out "deploy/blue/**"`, `on.push.paths-ignore leaves out "deploy/green/**"`}},
		"the Release by ./":        {kind: RollbackCheck, edit: strings.NewReplacer("release: \"bluegreen.yaml\"", "release: ./bluegreen.yaml")},
		"a rollback":               {kind: Rollback, change: lasting},
		"manifests moved":          {kind: Deploy, change: moving, want: []string{`on.push.paths lacks "manifests/blue/**"`}},
		"manifests are gone":       {kind: Deploy, change: manifests(), want: []string{"on.push.paths has to go: which pushes change the release can't be told"}},
		"a link":                   {kind: Deploy, change: func(_ *release.Release, o *Options) { o.Linked = []string{"shared/"} }, want: []string{`on.push.paths lacks "shared/**"`}},
		"the Release moved":        {kind: RollbackCheck, change: func(_ *release.Release, o *Options) { o.File = "shop/bluegreen.yaml" }, want: []string{"no step has the input release: shop/bluegreen.yaml"}},
		"a job is gone":            {kind: Gate, edit: strings.NewReplacer("  gate:", "  other:"), want: []string{"there is no job gate"}},
	} {
		t.Run(name, func(t *testing.T) {
			rel, options := example(t), Options{Action: unreleased, File: "bluegreen.yaml", Environment: "production", Branch: "main"}
			text, err := Write(rel, test.kind, options)
			if err != nil {
				t.Fatal(err)
			}
			kept := string(text)
			if test.edit != nil {
				if kept = test.edit.Replace(kept); kept == string(text) {
					t.Fatal("nothing was edited")
				}
			}
			if test.change != nil {
				test.change(rel, &options)
			}
			found, err := Outgrown(rel, test.kind, options, []byte(kept))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, found); diff != "" {
				t.Errorf("outgrown is (-want +got):\n%s", diff)
			}
		})
	}
	if found, err := Outgrown(example(t), Deploy, Options{File: "bluegreen.yaml"}, []byte("jobs: [")); err == nil {
		t.Errorf("of what is no workflow %q is outgrown", found)
	}
}
