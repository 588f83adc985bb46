package release

import (
	"fmt"
	"time"
)

// checkGates checks the profile and the overrides. Which rules there are is
// the gate's to know, so a face finds one that doesn't exist (Loaded.Problem).
func (c *checker) checkGates() {
	gates := c.document.Spec.Gates
	c.oneOf("spec.gates.profile", gates.Profile, ProfileWeighted, ProfileAtomic)
	if c.written("spec.gates.interval") && gates.Interval < Duration(time.Second) {
		c.report("spec.gates.interval", gates.Interval.String()+" is shorter than 1s", "")
	}
	c.oneOf("spec.gates.relative", gates.Relative, RelativeAdvance, RelativeRollback)
	c.positive("spec.gates.sourceDown.deadline", gates.SourceDown.Deadline)
	c.oneOf("spec.gates.sourceDown.policy", gates.SourceDown.Policy, PolicyHold, PolicyRollback)
	c.oneOf("spec.gates.onFailure", gates.OnFailure, PolicyRollback, PolicyFreeze)
	c.oneOf("spec.gates.onRival", gates.OnRival, PolicyHold, PolicyRollback)
	ids := map[string]bool{}
	for i, rule := range gates.Rules {
		field := fmt.Sprintf("spec.gates.rules[%d]", i)
		if ids[rule.ID] && rule.ID != "" {
			c.report(join(field, "id"), shown(rule.ID)+" is overridden twice", "keep one of them")
		}
		ids[rule.ID] = true
		if rule.Threshold != nil && *rule.Threshold < 0 {
			c.report(join(field, "threshold"), "must not be negative", "")
		}
		if rule.MinimumSamples != nil && *rule.MinimumSamples < 0 {
			c.report(join(field, "minimumSamples"), "must not be negative", "")
		}
		if rule.Window != nil {
			c.positive(join(field, "window"), *rule.Window)
		}
	}
}
