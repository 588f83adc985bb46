package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// checkTraffic checks the route, the steps and the times.
func (c *checker) checkTraffic() {
	traffic := c.document.Spec.Traffic
	c.checkRoute(traffic)
	c.checkSet(traffic)
	c.checkWorkers(traffic)
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

// checkRoute wants exactly one route beside spec.traffic.also.
func (c *checker) checkRoute(traffic Traffic) {
	if len(traffic.Routes()) == 0 && c.written("spec.traffic") {
		c.report("spec.traffic.service", "is required: it is the route that a shift switches", "write service: {name: NAME}, or another kind of route, such as httpRoute")
	}
	c.checkRoutes("spec.traffic", traffic, "stands beside %s, and a release has one production route", "leave one of them, or move both: write the other under spec.traffic.also")
}

// checkRoutes checks the routes that stand in one place, where one belongs.
func (c *checker) checkRoutes(place string, traffic Traffic, several, hint string) {
	routes := traffic.Routes()
	for i, route := range routes {
		field := join(place, route.Field)
		switch {
		case route.Field == "workers": // which have no object of their own
		case route.Weighted:
			c.subdomain(field+".name", route.Name)
		default:
			c.label(field+".name", route.Name)
		}
		c.checkRouteOf(field, route.Field, traffic)
		if i > 0 {
			c.report(field, fmt.Sprintf(several, routes[0].Field), hint)
		}
	}
}

// checkRouteOf checks what a document says of a route beyond its name.
func (c *checker) checkRouteOf(field, kind string, traffic Traffic) {
	switch kind {
	case "tcpRoute":
		c.checkVersion(field+".version", traffic.TCPRoute.Version)
	case "tlsRoute":
		c.checkVersion(field+".version", traffic.TLSRoute.Version)
	case "virtualService":
		c.checkSubsets(field, *traffic.VirtualService)
	case "nginxIngress":
		c.subdomain(field+".main", traffic.NginxIngress.Main)
		if traffic.NginxIngress.Main == traffic.NginxIngress.Name {
			c.report(field+".main", shown(traffic.NginxIngress.Main)+" is the canary itself", "write the name of the Ingress that leads to the other colour")
		}
	case "custom":
		c.checkCustom(field, *traffic.Custom)
	}
}

// checkSubsets checks by what a VirtualService tells the colours apart.
func (c *checker) checkSubsets(field string, route VirtualServiceRoute) {
	switch {
	case len(route.Subsets) == 0 && route.Host != "":
		c.report(field+".host", "says whose subsets the colours are, and there are none", "write subsets: {COLOR: NAME, ...}, or leave it out")
	case len(route.Subsets) > 0 && route.Host == "":
		c.report(field+".host", "is required with subsets: other hosts may have subsets of the same names", "write host: NAME, the Service whose subsets they are")
	case len(route.Subsets) > 0:
		c.label(field+".host", route.Host)
	}
	if len(route.Subsets) > 0 {
		c.eachColor(field+".subsets", slices.Collect(maps.Keys(route.Subsets)))
	}
}

// checkVersion checks a version that may be left out.
func (c *checker) checkVersion(field, version string) {
	if strings.Contains(version, "/") {
		c.report(field, shown(version)+" names a group too", "write the version alone, such as v1")
	} else if version != "" {
		c.label(field, version)
	}
}

// checkCustom checks where the weights of a custom route are.
func (c *checker) checkCustom(field string, custom CustomRoute) {
	if _, err := schema.ParseGroupVersion(custom.APIVersion); err != nil || custom.APIVersion == "" {
		c.report(field+".apiVersion", shown(custom.APIVersion)+" is not an API version", "write GROUP/VERSION, such as example.com/v1")
	}
	c.label(field+".resource", custom.Resource)
	c.eachColor(field+".weights", slices.Collect(maps.Keys(custom.Weights)))
	count := -1
	for color, pointers := range sortedPairs(custom.Weights) {
		at := join(field+".weights", color)
		for i, pointer := range pointers {
			if !strings.HasPrefix(pointer, "/") || len(pointer) < 2 {
				c.report(fmt.Sprintf("%s[%d]", at, i), shown(pointer)+" is not a JSON pointer", "write the place of the weight, such as /spec/backends/0/weight")
			}
		}
		if count >= 0 && len(pointers) != count || len(pointers) == 0 {
			c.report(at, fmt.Sprintf("has %d places, and each colour needs the same number, one at least", len(pointers)), "the first place of one colour goes with the first of the other")
		}
		count = len(pointers)
	}
}

// eachColor wants the colours of the release, no more and no fewer.
func (c *checker) eachColor(field string, found []string) {
	slices.Sort(found)
	if names := c.document.Spec.ColorNames(); !slices.Equal(names, found) {
		c.report(field, fmt.Sprintf("is about %s, and the colours are %s", strings.Join(shownAll(found), ", "), strings.Join(shownAll(names), ", ")), "write one entry for each colour")
	}
}

// checkSteps checks that the weights rise and end with everything.
func (c *checker) checkSteps(traffic Traffic) {
	if c.written("spec.traffic.steps") && len(traffic.Steps) == 0 {
		c.report("spec.traffic.steps", "has no step", "leave it out for one step of weight 100")
	}
	last := 0
	for i, step := range traffic.Steps {
		c.checkPreview(i, traffic)
		at := fmt.Sprintf("spec.traffic.steps[%d].weight", i)
		switch {
		case step.Match != nil:
			continue
		case step.Weight == 0 && !c.written(at):
			c.report(at, "is required", "")
		case step.Weight < 1 || step.Weight > 100:
			c.report(at, fmt.Sprintf("%d is not between 1 and 100", step.Weight), "a weight is the percentage of the colour that traffic moves to")
		case step.Weight < 100 && len(traffic.Services()) > 0:
			c.report(at, fmt.Sprintf("a Service can't give %d%% to a colour: its selector switches everything at once%s", step.Weight, inSet(traffic)),
				"leave only the step of weight 100")
		case step.Weight < 100 && traffic.Workers != nil && !traffic.Workers.shares():
			c.report(at, fmt.Sprintf("with workers.order %s two versions never take jobs at once, and %d%% is a part", OldFirst, step.Weight),
				"leave only the step of weight 100, or write workers: {order: "+NewFirst+"}")
		case step.Weight < 100 && c.document.Spec.Gates.Profile == ProfileAtomic:
			c.report(at, fmt.Sprintf("gates.profile %s switches everything at once, and %d%% is a part", ProfileAtomic, step.Weight),
				"leave only the step of weight 100, or write gates: {profile: "+ProfileWeighted+"}")
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
	spec := Spec{Traffic: traffic, Gates: c.document.Spec.Gates}
	spec.Traffic.Steps = slices.Clone(traffic.Steps)
	defaultSteps(&spec)
	defaultTraffic(&spec.Traffic)
	traffic = spec.Traffic
	deadlines, last := traffic.Deadlines, len(traffic.Steps)-1
	if hold := traffic.Steps[last].Hold; hold > traffic.Watch {
		c.report("spec.traffic.watch", fmt.Sprintf("%s is shorter than the hold at 100, %s, which it includes", traffic.Watch, hold),
			fmt.Sprintf("write watch: %s, or a last step of {weight: 100, hold: %s} under spec.traffic.steps", hold, traffic.Watch))
	}
	// The watch comes after the last switch, and total is asked before one.
	if holds := traffic.Waits() - traffic.Watch; holds > deadlines.Total {
		c.report("spec.traffic.deadlines.total", fmt.Sprintf("%s is shorter than the holds before the last step together, %s: traffic would never move whole", deadlines.Total, holds),
			fmt.Sprintf("write total: %s, which has room for the rollout and a validation too", holds+deadlines.Rollout+deadlines.Validation))
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
