package plugin

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/shell"
)

// formatPatch is the format of db budget that is run by a shell.
const formatPatch = "patch"

// printPatches writes what makes the budgets fit as lines for a shell, and what
// no line can do as comments.
func (i *invocation) printPatches(rel *release.Release, budgets []postgres.Budget) {
	out := i.streams.Out
	for _, budget := range budgets {
		patches := budget.Patches()
		if len(patches) == 0 {
			continue
		}
		fmt.Fprintf(out, "# database %s: %s\n", plain(budget.Name), plain(budget.Summary))
		for _, patch := range patches {
			if patch.Note != "" {
				fmt.Fprintf(out, "# %s\n", plain(patch.Note))
			}
			i.printPatch(patch, cmp.Or(patch.Namespace, budget.Namespace))
		}
		for _, name := range rel.Spec.ColorNames() {
			patched := slices.ContainsFunc(budget.Changes, func(change postgres.Change) bool { return change.Color == name && !change.InManifests })
			if patched && len(rel.Spec.Colors[name].Manifests) > 0 {
				fmt.Fprintf(out, "# write the same into the manifests of %s: a shift applies them\n", name)
			}
		}
	}
}

func (i *invocation) printPatch(patch postgres.Patch, namespace string) {
	if patch.Body == "" {
		return
	}
	kubectl := "kubectl" + i.clusterFlags() + flag("-n", namespace)
	fmt.Fprintf(i.streams.Out, "%s patch %s --type %s -p %s\n", kubectl, shell.Word(patch.Resource), patch.Type, shell.Word(patch.Body))
	if patch.Restart != "" {
		fmt.Fprintf(i.streams.Out, "%s rollout restart %s\n", kubectl, shell.Word(patch.Restart))
	}
}
