package preflight

import (
	"slices"
	"strings"
)

// objection is what speaks against one of several that would do, said around its
// name: that it doesn't, or that it is not known to.
type objection struct {
	outcome       Outcome
	before, after string
}

// objections are those to each, in the order in which they came up.
type objections []objected

// objected are those that the same speaks against.
type objected struct {
	objection
	names []string
}

func (o *objections) add(name string, why objection) {
	for i := range *o {
		if same := &(*o)[i]; same.objection == why {
			if !slices.Contains(same.names, name) { // rules may share one
				same.names = append(same.names, name)
			}
			return
		}
	}
	*o = append(*o, objected{why, []string{name}})
}

// said are those of one outcome, "" for none.
func (o objections) said(outcome Outcome) string {
	var all []string
	for _, one := range o {
		if one.outcome == outcome {
			all = append(all, one.before+strings.Join(one.names, ", ")+one.after)
		}
	}
	return strings.Join(all, "; ")
}
