package preflight

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
)

// signedOff judges what only a person can have seen. Nobody's word is not
// declared, so that require: starter goes on and production doesn't; a word that
// counts no more, or can't be read, is not known.
func signedOff(facts *Facts, id string) Finding {
	const subject = "sign-off"
	kind, err := signoff.KindOf(id)
	if err != nil {
		return unknown(subject, "%v", err)
	}
	if !facts.SignOffs.Known {
		return facts.SignOffs.unknown(subject)[0]
	}
	standing := Standing(facts, kind)
	if standing.State == signoff.Absent {
		finding := undeclared("a sign-off of " + kind.What)
		finding.Subject = subject
		return finding
	}
	finding := unknown(subject, "%s", standing.Reason)
	if standing.State == signoff.Signed {
		finding = pass(subject, "%s", standing.Reason)
	}
	if signed := standing.SignOff; signed != nil {
		finding = finding.with("by", signed.By).with("until", signed.Until).with("bound to", signed.Binding)
		if signed.Note != "" {
			finding = finding.with("note", signed.Note)
		}
	}
	return finding
}

// Standing says what has become of a sign-off by what was collected; the
// sign-offs must be known.
func Standing(facts *Facts, kind signoff.Kind) signoff.Standing {
	now, problem := Binding(facts, kind)
	entry, found := facts.SignOffs.Value[kind.ID]
	return signoff.Judge(kind, entry, found, now, problem, facts.Time)
}

// Binding is what a sign-off that is given now is bound to; problem says why
// that is not known, else it is "".
func Binding(facts *Facts, kind signoff.Kind) (binding signoff.Binding, problem string) {
	routes := routeNames(facts)
	switch kind.Bound {
	case signoff.BoundImages:
		if !facts.Images.Known {
			return binding, facts.Images.unknown("images")[0].Cause
		}
		binding.Images = slices.Clone(facts.Images.Value)
	case signoff.BoundKind:
		for _, route := range routes {
			kind, _, _ := strings.Cut(route, "/")
			binding.Routes = append(binding.Routes, kind)
		}
		slices.Sort(binding.Routes)
		binding.Routes = slices.Compact(binding.Routes)
	case signoff.BoundRoute:
		binding.Routes = routes
	}
	return binding, ""
}
