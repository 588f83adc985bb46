package release

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// checker looks at what a document means, after its types were read.
type checker struct {
	*source
	document *Release
}

// check reports every problem of meaning. A field that already has a problem
// gets no second one: one mistake, one message.
func check(s *source, document *Release) {
	c := &checker{source: s, document: document}
	c.checkMetadata()
	c.checkColors()
	c.checkTraffic()
	c.checkDatabases()
	c.checkValidation()
	c.checkMetrics()
	c.checkLogs()
	c.checkDashboard()
	c.checkGates()
	c.checkChecks()
	c.oneOf("spec.require", document.Spec.Require, RequireStarter, RequireProduction)
}

// isKind looks at apiVersion and kind before anything else: of a document of
// another kind, every other message would be noise.
func (s *source) isKind(kind string) bool {
	found := map[string]string{}
	for i := 0; i+1 < len(s.root.Content) && s.root.Tag == "!!map"; i += 2 {
		key, value := s.root.Content[i], s.root.Content[i+1]
		if (key.Value != "apiVersion" && key.Value != "kind") || value.ShortTag() != "!!str" {
			continue
		}
		found[key.Value] = value.Value
		s.fields[key.Value] = value
	}
	ours := true
	for _, want := range []struct{ field, value string }{{"apiVersion", APIVersion}, {"kind", kind}} {
		if value, set := found[want.field]; set && value != "" && value != want.value {
			line, column := s.position(want.field)
			s.at(line, column, want.field, shown(value)+" is not read here", "write "+want.field+": "+want.value)
			ours = false
		}
	}
	return ours
}

// report reports a problem at a field, unless the field, one in it or one
// around it has one.
func (c *checker) report(field, message, hint string) {
	if c.troubled(field) {
		return
	}
	line, column := c.position(field)
	c.at(line, column, field, message, hint)
}

// troubled reports whether a field, one in it or one around it has a problem.
func (s *source) troubled(field string) bool {
	for _, problem := range s.problems {
		if problem.Field != "" && (within(problem.Field, field) || within(field, problem.Field)) {
			return true
		}
	}
	for meant := range s.meant {
		if within(field, meant) {
			return true
		}
	}
	return false
}

// within reports whether a field is another, or in it.
func within(field, around string) bool {
	rest, found := strings.CutPrefix(field, around)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// written reports whether the document has the field.
func (c *checker) written(field string) bool {
	_, found := c.fields[field]
	return found
}

// oneOf checks a word against those that are known; unset is fine.
func (c *checker) oneOf(field, value string, known ...string) {
	if !c.written(field) || slices.Contains(known, value) {
		return
	}
	c.report(field, shown(value)+" is not known", DidYouMean(value, known, "known: "+strings.Join(known, ", ")))
}

// positive checks that a time which is written is longer than nothing: a zero
// would be taken for unset.
func (c *checker) positive(field string, value Duration) {
	if c.written(field) && value == 0 {
		c.report(field, "must be longer than 0s", "")
	}
}

// within a range, ends included; unset is fine.
func (c *checker) between(field string, value, from, to int) {
	if c.written(field) && (value < from || value > to) {
		c.report(field, fmt.Sprintf("%d is not between %d and %d", value, from, to), "")
	}
}

// label checks the name of an object that must be a DNS label.
func (c *checker) label(field, value string) {
	c.named(field, value, validation.IsDNS1123Label(value))
}

// subdomain checks the name of an object that must be a DNS subdomain.
func (c *checker) subdomain(field, value string) {
	c.named(field, value, validation.IsDNS1123Subdomain(value))
}

// named reports what the API's own rules for a name say against a value.
func (c *checker) named(field, value string, faults []string) {
	if !c.written(field) || len(faults) == 0 {
		return
	}
	c.report(field, c.shownAt(field, value)+" is not a valid name", brief(faults))
}

// brief is the rule that a name breaks, without the examples and the regular
// expression that the API's messages end with.
func brief(faults []string) string {
	rule, _, _ := strings.Cut(faults[0], " (e.g.")
	rule, _, _ = strings.Cut(rule, " (regex")
	return rule
}

// shownAt quotes a value, but none of a field that leads to a secret.
func (c *checker) shownAt(field, value string) string {
	if strings.Contains(field, ".dsn") || strings.Contains(field, ".headersFrom") || strings.Contains(field, ".token") {
		return "the value"
	}
	return shown(value)
}

func (c *checker) checkMetadata() {
	metadata := c.document.Metadata
	// The name is a label's value and a part of the names of the Lease and
	// the ConfigMaps, so it obeys the strictest of their rules.
	c.label("metadata.name", metadata.Name)
	c.label("metadata.namespace", metadata.Namespace)
}
