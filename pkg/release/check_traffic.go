package release

import "fmt"

// checkTraffic checks the route, the steps and the times.
func (c *checker) checkTraffic() {
	traffic := c.document.Spec.Traffic
	if traffic.Service == nil && c.written("spec.traffic") {
		c.report("spec.traffic.service", "is required: it is the route that a shift switches", "write service: {name: NAME}")
	}
	if traffic.Service != nil {
		c.label("spec.traffic.service.name", traffic.Service.Name)
	}
	c.checkSteps(traffic)
	c.oneOf("spec.traffic.drain", string(traffic.Drain), string(DrainAuto), string(DrainWait), string(DrainRecycle), string(DrainNone))
	c.positive("spec.traffic.watch", traffic.Watch)
	deadlines := traffic.Deadlines
	for field, value := range sortedPairs(map[string]Duration{
		"rollout": deadlines.Rollout, "validation": deadlines.Validation, "total": deadlines.Total, "reroute": deadlines.Reroute,
		"recover": deadlines.Recover, "rollback": deadlines.Rollback, "drain": deadlines.Drain,
	}) {
		c.positive("spec.traffic.deadlines."+field, value)
	}
	if !c.troubled("spec.traffic") {
		c.checkTimes(traffic)
	}
}

// checkSteps checks that the weights rise and end with everything.
func (c *checker) checkSteps(traffic Traffic) {
	if c.written("spec.traffic.steps") && len(traffic.Steps) == 0 {
		c.report("spec.traffic.steps", "has no step", "leave it out for one step of weight 100")
	}
	last := 0
	for i, step := range traffic.Steps {
		at := fmt.Sprintf("spec.traffic.steps[%d].weight", i)
		switch {
		case step.Weight < 1 || step.Weight > 100:
			c.report(at, fmt.Sprintf("%d is not between 1 and 100", step.Weight), "a weight is the percentage of the colour that traffic moves to")
		case step.Weight < 100 && traffic.Service != nil:
			c.report(at, fmt.Sprintf("a Service can't give %d%% to a colour: its selector switches everything at once", step.Weight),
				"leave only the step of weight 100")
		case step.Weight <= last:
			c.report(at, fmt.Sprintf("%d does not rise above the %d of the step before", step.Weight, last), "")
		}
		last = step.Weight
	}
	if len(traffic.Steps) > 0 && last != 100 {
		c.report(fmt.Sprintf("spec.traffic.steps[%d].weight", len(traffic.Steps)-1), "the last step must have weight 100", "")
	}
}

// checkTimes checks the times against each other, with the defaults for those
// that are not written.
func (c *checker) checkTimes(traffic Traffic) {
	traffic.Steps = append([]Step(nil), traffic.Steps...)
	defaultTraffic(&traffic)
	deadlines, last := traffic.Deadlines, len(traffic.Steps)-1
	if hold := traffic.Steps[last].Hold; hold > traffic.Watch {
		c.report("spec.traffic.watch", fmt.Sprintf("%s is shorter than the hold at 100, %s, which it includes", traffic.Watch, hold),
			fmt.Sprintf("write watch: %s, or a shorter hold", hold))
	}
	if waits := traffic.Waits(); waits > deadlines.Total {
		c.report("spec.traffic.deadlines.total", fmt.Sprintf("%s is shorter than the holds before the last step and the watch together, %s", deadlines.Total, waits),
			fmt.Sprintf("write total: %s, which has room for the rollout and a validation too", waits+deadlines.Rollout+deadlines.Validation))
	}
	for _, part := range []struct {
		name   string
		value  Duration
		around string
		limit  Duration
		why    string
	}{
		{"rollout", deadlines.Rollout, "total", deadlines.Total, "after which nothing is switched"},
		{"validation", deadlines.Validation, "total", deadlines.Total, "after which nothing is switched"},
		{"reroute", deadlines.Reroute, "rollback", deadlines.Rollback, "within which a rollback is expected"},
		{"recover", deadlines.Recover, "rollback", deadlines.Rollback, "within which a rollback is expected"},
	} {
		if part.value <= part.limit {
			continue
		}
		// The mistake is pointed at where something is written.
		field := "spec.traffic.deadlines." + part.name
		if !c.written(field) {
			field = "spec.traffic.deadlines." + part.around
		}
		c.report(field, fmt.Sprintf("%s, %s, is longer than %s, %s, %s", part.name, part.value, part.around, part.limit, part.why), "")
	}
}
