package plugin

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// knownChecks finds the suppressions of checks that there are not.
func knownChecks(loaded *release.Loaded, own *ownChecks) release.Problems {
	ids := map[string]bool{}
	var all []string
	for _, check := range own.all() {
		ids[check.ID] = true
		all = append(all, check.ID)
	}
	var problems release.Problems
	for index, suppression := range loaded.Release.Spec.Checks.Suppress {
		if ids[suppression.ID] {
			continue
		}
		remedy := release.DidYouMean(suppression.ID, all, "run: "+name+" check lists the ids")
		problems = append(problems, loaded.Problem(fmt.Sprintf("spec.checks.suppress[%d].id", index),
			fmt.Sprintf("no check is called %q", suppression.ID), remedy))
	}
	return problems
}
