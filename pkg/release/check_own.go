package release

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// The severities of a check of one's own, the default first.
const (
	SeverityBlock    = "block"
	SeverityWarn     = "warn"
	SeverityCritical = "critical"
)

var customID = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`)

// checkOwn checks checks of one's own, but for their expressions: those are
// for whoever knows CEL (DeclaredCheck.ProblemAt).
func (c *checker) checkOwn(list string, checks []CustomCheck) {
	ids := map[string]bool{}
	for i, check := range checks {
		field := fmt.Sprintf("%s[%d]", list, i)
		switch id := join(field, "id"); {
		case check.ID == "":
		case strings.HasPrefix(strings.ToUpper(check.ID), "BG-"):
			c.report(id, shown(check.ID)+" is of the program's own", "take a prefix of your own, such as SHOP-01")
		case !customID.MatchString(check.ID):
			c.report(id, shown(check.ID)+" is no id: capitals and digits, in parts with a hyphen between them", "such as SHOP-01")
		case ids[check.ID]:
			c.report(id, shown(check.ID)+" is there twice", "give each check an id of its own")
		}
		ids[check.ID] = true
		c.oneOf(join(field, "severity"), check.Severity, SeverityWarn, SeverityBlock, SeverityCritical)
		for j, stage := range check.Stages {
			c.oneOf(fmt.Sprintf("%s.stages[%d]", field, j), stage, "pr", "deploy", "rollback")
		}
		if check.Message != "" && check.MessageExpression != "" {
			c.report(join(field, "messageExpression"), "doesn't go with message", "keep one of them")
		}
		if page, err := url.Parse(check.Docs); check.Docs != "" && (err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Host == "") {
			c.report(join(field, "docs"), shown(check.Docs)+" is no URL", "such as https://wiki.example.com/releases")
		}
	}
}
