package release

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// plainName is the name of a header (RFC 9110, section 5.6.2) or a cookie (RFC
	// 6265, section 4.1.1).
	plainName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	// headerValue is printed ASCII, without spaces around it, for proxies trim them.
	headerValue = regexp.MustCompile(`^[[:graph:]]([[:print:]]*[[:graph:]])?$`)
	// cookieValue is what a cookie may hold (RFC 6265, section 4.1.1).
	cookieValue = regexp.MustCompile(`^[A-Za-z0-9!#$%&'()*+\-./:<=>?@\[\]^_{|}~` + "`" + `]+$`)
)

// The most that the Gateway API takes of the name and the value of a header.
const (
	longestName  = 256
	longestValue = 4096
)

// unfit are headers that say something else already.
var unfit = map[string]string{
	"host":                "is what a route goes by already",
	"authorization":       "holds a credential, and a route is read by everybody",
	"proxy-authorization": "holds a credential, and a route is read by everybody",
	"cookie":              "holds all cookies at once; write cookie: {name: NAME, value: VALUE}",
}

// checkPreview checks a step with a match, and that one without says nothing of it.
func (c *checker) checkPreview(index int, traffic Traffic) {
	step, at := traffic.Steps[index], fmt.Sprintf("spec.traffic.steps[%d]", index)
	c.oneOf(at+".requests", step.Requests, RequestsOptional, RequestsRequired)
	if step.Match == nil {
		if step.Requests != "" {
			c.report(at+".requests", "is of a step with match alone", "the gate always wants requests at a step with a weight")
		}
		return
	}
	switch {
	case index > 0:
		c.report(at+".match", "stands behind a weight, which has given everybody a part already", "make it the first step, or leave it out")
	case c.written(at + ".weight"):
		c.report(at+".match", "stands beside a weight", "write two steps: requests with the match reach the colour first, then it gets a weight")
	}
	if step.Hold <= 0 {
		c.report(at+".hold", "is required beside match: it is the time in which somebody can look at the colour", "write hold: 5m, or another time")
	}
	c.checkMatch(at+".match", *step.Match)
	c.checkPreviewing(at+".match", *step.Match, traffic)
}

// checkMatch checks what requests must carry.
func (c *checker) checkMatch(at string, match Match) {
	switch {
	case match.Header == nil && match.Cookie == nil:
		c.report(at, "wants nothing", "write header: {name: NAME, value: VALUE}, or cookie likewise")
	case match.Header != nil && match.Cookie != nil:
		c.report(at, "wants a header and a cookie", "leave one of them")
	}
	for _, part := range []struct {
		field string
		wants *NamedValue
		value *regexp.Regexp
	}{{"header", match.Header, headerValue}, {"cookie", match.Cookie, cookieValue}} {
		if part.wants == nil {
			continue
		}
		field := at + "." + part.field
		if !plainName.MatchString(part.wants.Name) || len(part.wants.Name) > longestName {
			c.report(field+".name", shown(part.wants.Name)+" is no name of a "+part.field, "write letters, digits and dashes, such as X-Version")
		}
		if !part.value.MatchString(part.wants.Value) || len(part.wants.Value) > longestValue {
			c.report(field+".value", shown(part.wants.Value)+" is no value of a "+part.field, "write printed ASCII, without spaces around it")
		}
	}
	if match.Header != nil && unfit[strings.ToLower(match.Header.Name)] != "" {
		c.report(at+".header.name", shown(match.Header.Name)+" "+unfit[strings.ToLower(match.Header.Name)], "write a header of its own, such as X-Version")
	}
}

// checkPreviewing wants kinds of route that can lead requests by the match.
func (c *checker) checkPreviewing(at string, match Match, traffic Traffic) {
	for _, one := range traffic.Set() {
		for _, route := range one.Routes() {
			if route.Previews().Can(match) {
				continue
			}
			what := "header"
			if match.Cookie != nil {
				what = "cookie"
			}
			c.report(at, fmt.Sprintf("%s %s can't lead requests by a %s%s", route.Field, shown(route.Name), what, route.unpreviewed()),
				"of the kinds of route "+strings.Join(previewing(match), ", ")+" can; leave the step out")
			return
		}
	}
}
