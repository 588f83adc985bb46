package release

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// checkValidation checks the probes and the expressions for log lines.
func (c *checker) checkValidation() {
	validation := c.document.Spec.Validation
	if validation.Health != nil {
		c.checkHTTP("spec.validation.health", *validation.Health)
	}
	names := map[string]bool{}
	for i, probe := range validation.Synthetic {
		field := fmt.Sprintf("spec.validation.synthetic[%d]", i)
		if names[probe.Name] && probe.Name != "" {
			c.report(join(field, "name"), shown(probe.Name)+" is the name of another probe too", "")
		}
		names[probe.Name] = true
		if (probe.HTTP == nil) == (probe.GRPC == nil) {
			c.report(field, "needs exactly one of http and grpc", "")
		}
		if probe.HTTP != nil {
			c.checkHTTP(join(field, "http"), *probe.HTTP)
		}
		if probe.GRPC != nil {
			c.between(field+".grpc.port", probe.GRPC.Port, 1, 65535)
			c.positive(field+".grpc.timeout", probe.GRPC.Timeout)
		}
	}
	if validation.Logs == nil {
		return
	}
	for i, expression := range validation.Logs.Forbid {
		if _, err := regexp.Compile(expression); err != nil {
			c.report(fmt.Sprintf("spec.validation.logs.forbid[%d]", i), shown(expression)+" is not a regular expression", "the syntax is RE2: "+reasonOf(err))
		}
	}
}

// reasonOf is what is wrong with a regular expression, without the expression.
func reasonOf(err error) string {
	text := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	reason, _, _ := strings.Cut(text, ":")
	return reason
}

func (c *checker) checkHTTP(field string, probe HTTPProbe) {
	if probe.Method != "" && (!httpguts.ValidHeaderFieldName(probe.Method) || probe.Method != strings.ToUpper(probe.Method)) {
		c.report(join(field, "method"), shown(probe.Method)+" is not an HTTP method", "such as GET or POST")
	}
	if probe.Path != "" && !validPath(probe.Path) {
		c.report(join(field, "path"), shown(probe.Path)+" is not a path", "it starts with / and has no spaces")
	}
	c.between(join(field, "port"), probe.Port, 1, 65535)
	c.between(join(field, "status"), probe.Status, 100, 599)
	c.positive(join(field, "timeout"), probe.Timeout)
	if secretInPath(probe.Path) {
		c.refuseSecret(join(field, "path"), probe.Path, "a path is kept and logged: send the secret as a header, by headersFrom, or ask for a path that needs none")
	}
	if Redacted(probe.Body) != probe.Body {
		c.refuseSecret(join(field, "body"), probe.Body, "a body can't be read from a Secret: send the secret as a header, by headersFrom, or choose a request that needs none")
	}
	for name, value := range sortedPairs(probe.Headers) {
		at := join(join(field, "headers"), name)
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			// The value may be a token, so it is not repeated.
			c.report(at, "is not a valid HTTP header", "")
		}
		if header := name + ": " + value; Redacted(header) != header {
			c.refuseSecret(at, value, "give it from a Secret: headersFrom: {"+name+": {secretKeyRef: {name: NAME, key: KEY}}}")
		}
	}
	for name, source := range sortedPairs(probe.HeadersFrom) {
		at := join(join(field, "headersFrom"), name)
		if !httpguts.ValidHeaderFieldName(name) {
			c.report(at, "is not the name of an HTTP header", "")
		}
		c.checkSecret(at, source)
		for other := range probe.Headers {
			if strings.EqualFold(name, other) {
				c.report(at, "stands among the headers too", "keep one of them")
			}
		}
	}
}

// refuseSecret refuses a value in which a secret may stand; it would be kept in
// the cluster as it is. The value is not repeated. What looks like a connection
// string is told already, wherever it stands.
func (c *checker) refuseSecret(field, value, remedy string) {
	if !credential.MatchString(value) {
		c.report(field, "looks like it holds a secret, which must never stand in this document", remedy)
	}
}

// secretInPath reports whether a secret may stand where paths have one: in the
// query, or before the host of //USER:PASSWORD@HOST. The path itself is not
// looked at: /v1/token:refresh names what is asked for.
func secretInPath(path string) bool {
	if address, err := url.Parse(path); err == nil && address.User != nil {
		if _, set := address.User.Password(); set {
			return true
		}
	}
	_, query, _ := strings.Cut(path, "?")
	if plain, err := url.QueryUnescape(query); err == nil {
		query = plain
	}
	return Redacted(query) != query
}

// validPath accepts a path, with a query if need be.
func validPath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' })
}
