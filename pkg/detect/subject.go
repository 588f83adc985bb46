package detect

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Subject is what is asked about: a Service of a namespace, or a host name.
type Subject struct {
	// Service is a Service's name and Namespace its namespace; "" for a host.
	Service string
	// Namespace is also where alone a host is looked for; "" is everywhere.
	Namespace string
	// Host is a host name, or one with a star: *.example.com.
	Host string
}

// String is the subject for people.
func (s Subject) String() string {
	if s.Service != "" {
		return "svc/" + s.Service
	}
	return s.Host
}

// ParseHost reads a host name. What is nearly one, such as a URL, is refused
// with the host that was meant.
func ParseHost(text string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	problems := validation.IsDNS1123Subdomain(name)
	if strings.HasPrefix(name, "*.") {
		problems = validation.IsWildcardDNS1123Subdomain(name)
	}
	if len(problems) == 0 {
		return name, nil
	}
	err := fmt.Errorf("read argument %q: it is no host name and no svc/NAME", text)
	if meant := hostWithin(name); meant != "" {
		return "", release.WithHint(err, "write the host alone: "+meant)
	}
	return "", release.WithHint(err, "write a host, such as shop.example.com or *.example.com, or a Service as svc/NAME")
}

// hostWithin is the host of what looks like a URL or has a port, "" for none.
func hostWithin(text string) string {
	_, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		rest = text
	}
	rest, _, hasPath := strings.Cut(rest, "/")
	rest, _, hasPort := strings.Cut(rest, ":")
	if !isURL && !hasPort && (!hasPath || !strings.Contains(rest, ".")) || len(validation.IsDNS1123Subdomain(rest)) > 0 {
		return ""
	}
	return rest
}
