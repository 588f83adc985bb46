package release

import "fmt"

// checkSet wants one route in each entry of spec.traffic.also, and each object
// once in the whole set.
func (c *checker) checkSet(traffic Traffic) {
	if c.written("spec.traffic.also") && len(traffic.Also) == 0 {
		c.report("spec.traffic.also", "has no entry", "leave it out where there is one route")
	}
	moved := map[string]string{}
	for i, one := range traffic.Set() {
		place := placeOf(i)
		if i > 0 {
			if len(one.Routes()) == 0 {
				c.report(place, "declares no route", "write service: {name: NAME}, or another kind of route, such as httpRoute")
			}
			c.checkRoutes(place, one, "stands beside %s, and an entry is one route", "give each an entry of its own")
		}
		for _, route := range one.Routes() {
			field := join(join(place, route.Field), "name")
			object := objectOf(route, one)
			if first, twice := moved[object]; twice {
				c.report(field, fmt.Sprintf("%s is moved by %s already", shown(route.Name), first), "leave one of them")
				continue
			}
			moved[object] = join(place, route.Field)
		}
	}
}

// placeOf is where the routes of a Traffic.Set stand in the document.
func placeOf(index int) string {
	if index == 0 {
		return "spec.traffic"
	}
	return fmt.Sprintf("spec.traffic.also[%d]", index-1)
}

// objectOf tells one object from another, whatever moves it.
func objectOf(route DeclaredRoute, traffic Traffic) string {
	if custom := traffic.Custom; custom != nil && route.Field == "custom" {
		return custom.APIVersion + " " + custom.Resource + " " + custom.Name
	}
	return route.Field + " " + route.Name
}

// inSet says which Service it is that holds the other routes of a set to its
// way.
func inSet(traffic Traffic) string {
	for i, one := range traffic.Set() {
		if one.Service != nil && (i > 0 || len(traffic.Also) > 0) {
			return fmt.Sprintf(", and %s.service, %s, is moved with the others", placeOf(i), shown(one.Service.Name))
		}
	}
	return ""
}
