package plugin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// known finds what a document names that other packages don't know. The error,
// if any, is release.Problems.
func known(loaded *release.Loaded, own *ownChecks) error {
	problems := append(knownRules(loaded), knownChecks(loaded, own)...)
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// knownRules finds the overrides of rules that there are not. Which rules
// there are is the gate's to say and where an override stands is the
// document's, so here the two meet.
func knownRules(loaded *release.Loaded) release.Problems {
	spec := loaded.Release.Spec
	everything := func(measure.Query) bool { return true }
	var problems release.Problems
	for index, override := range spec.Gates.Rules {
		alone := spec.Gates
		alone.Rules = []release.RuleOverride{override}
		if _, err := gate.Rules(alone, spec.Databases, everything); err != nil {
			message, remedy := err.Error(), release.HintOf(err)
			if unknown := (*gate.UnknownRuleError)(nil); errors.As(err, &unknown) {
				message, remedy = fmt.Sprintf("%q is not known to profile %s", unknown.ID, spec.Gates.Profile), meant(unknown)
			}
			problems = append(problems, loaded.Problem(fmt.Sprintf("spec.gates.rules[%d].id", index), message, remedy))
		}
	}
	return problems
}

// meant is the remedy for a rule that there is not.
func meant(unknown *gate.UnknownRuleError) string {
	if unknown.Nearest != "" {
		return fmt.Sprintf("did you mean %q?", unknown.Nearest)
	}
	return "known: " + strings.Join(unknown.Known, ", ")
}
