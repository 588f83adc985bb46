package gate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Rules are the rules of a gate: those of the profile, once for each
// database where they are about one, with the overrides applied. A rule is
// Required when answerable says that something declared can answer it; one
// that nothing can is kept, so that it is printed as not declared.
//
// It returns an error for an unknown profile, for an override of a rule that
// the profile doesn't have (an UnknownRuleError), and for a number that no
// reading could be compared with.
func Rules(gates release.Gates, databases []release.Database, answerable func(measure.Query) bool) ([]Rule, error) {
	templates, found := profile(gates.Profile)
	if !found {
		return nil, fmt.Errorf("read gates.profile %q: expected %s", gates.Profile, strings.Join(Profiles(), " or "))
	}
	templates = append(templates, relativeRules(purposeOf(gates))...)
	rules := forDatabases(templates, databases)
	for _, override := range gates.Rules {
		if err := apply(rules, templates, override); err != nil {
			return nil, err
		}
	}
	for i := range rules {
		if rules[i].Database == "" && aboutDatabase(rules[i].Signal) {
			continue // no database is declared
		}
		rules[i].Required = !rules[i].Disabled && answerable(rules[i].Query("", ""))
	}
	return rules, nil
}

// aboutDatabase reports whether a signal is asked of one database.
func aboutDatabase(signal measure.Signal) bool {
	switch signal {
	case measure.DatabaseConnections, measure.DatabaseSessions, measure.BlockedSessions, measure.OldestTransaction:
		return true
	}
	return false
}

// forDatabases repeats the rules about a database for each one. With none
// declared they stay, once, without a database.
func forDatabases(templates []Rule, databases []release.Database) []Rule {
	rules := make([]Rule, 0, len(templates))
	for _, template := range templates {
		if !aboutDatabase(template.Signal) || len(databases) == 0 {
			rules = append(rules, template)
			continue
		}
		for _, database := range databases {
			template.Database = database.Name
			rules = append(rules, template)
		}
	}
	return rules
}

// apply writes one override into every rule that it names. An id without a
// database names the rule of all databases. A rule about a database that is
// named while none is declared is known, and changes nothing.
func apply(rules, templates []Rule, override release.RuleOverride) error {
	if err := validate(override); err != nil {
		return fmt.Errorf("override rule %s: %w", override.ID, err)
	}
	applied := false
	for i := range rules {
		if override.ID != rules[i].ID && override.ID != rules[i].Key() {
			continue
		}
		applied = true
		rule := &rules[i]
		if rule.Compares() && (override.For != nil || override.Window != nil || override.MinimumSamples != nil) {
			return fmt.Errorf("override rule %s: for, window and minimumSamples mean nothing where it must be certain: expected threshold or disabled", override.ID)
		}
		rule.Disabled = override.Disabled
		if override.Threshold != nil {
			rule.Threshold = *override.Threshold
		}
		if override.For != nil {
			rule.For = override.For.Std()
		}
		if override.Window != nil {
			rule.Window = override.Window.Std()
		}
		if override.MinimumSamples != nil {
			rule.MinimumSamples = *override.MinimumSamples
		}
	}
	if applied {
		return nil
	}
	return unknownRule(override.ID, rules, templates)
}

// validate refuses numbers that would make a rule always or never true.
func validate(override release.RuleOverride) error {
	if t := override.Threshold; t != nil && (math.IsNaN(*t) || math.IsInf(*t, 0) || *t < 0) {
		return fmt.Errorf("threshold %v: expected a number of at least 0", *t)
	}
	if n := override.MinimumSamples; n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0) || *n < 0) {
		return fmt.Errorf("minimumSamples %v: expected a number of at least 0", *n)
	}
	if d := override.For; d != nil && *d < 0 {
		return fmt.Errorf("for %s: expected a time of at least 0s", *d)
	}
	if d := override.Window; d != nil && *d <= 0 {
		return errors.New("window: expected a time above 0s")
	}
	return nil
}

// Queries are what the rules ask, each once, in the rules' order. Rules that
// are disabled or that nothing can answer ask nothing, and those that compare ask
// for counts, which are no readings.
func Queries(rules []Rule, target, old string) []measure.Query {
	var queries []measure.Query
	for _, rule := range rules {
		if rule.Disabled || !rule.Required || rule.Compares() {
			continue
		}
		if query := rule.Query(target, old); !slices.Contains(queries, query) {
			queries = append(queries, query)
		}
	}
	return queries
}

// BaselineQueries are what the rules relative to the baseline compare with: the same signals
// of the old colour, to be read in the window before the switch.
func BaselineQueries(rules []Rule, old string) []measure.Query {
	var queries []measure.Query
	for _, rule := range rules {
		if rule.Disabled || !rule.Required || rule.RelativeTo != relativeToBaseline {
			continue
		}
		query := rule.Query(old, old)
		if !slices.Contains(queries, query) {
			queries = append(queries, query)
		}
	}
	return queries
}
