package release

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// ServiceAddress is a Service in the cluster, reached through the API server,
// written NAMESPACE/SERVICE:PORT. Port is a number or a port's name.
type ServiceAddress struct {
	Namespace string
	Service   string
	Port      string
}

// String writes NAMESPACE/SERVICE:PORT.
func (a ServiceAddress) String() string { return a.Namespace + "/" + a.Service + ":" + a.Port }

// ParseServiceAddress reads NAMESPACE/SERVICE:PORT.
func ParseServiceAddress(text string) (ServiceAddress, error) {
	namespace, rest, slash := strings.Cut(text, "/")
	service, port, colon := strings.Cut(rest, ":")
	if !slash || !colon || len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Label(service)) > 0 || !validPort(port) {
		return ServiceAddress{}, fmt.Errorf("read address %s: expected NAMESPACE/SERVICE:PORT", shown(text))
	}
	return ServiceAddress{Namespace: namespace, Service: service, Port: port}, nil
}

// validPort accepts a port's number or name.
func validPort(text string) bool {
	if number, err := strconv.Atoi(text); err == nil {
		return len(validation.IsValidPortNum(number)) == 0
	}
	return len(validation.IsValidPortName(text)) == 0
}

// checkServer checks what has exactly one of a URL and a Service.
func (c *checker) checkServer(field, address, service string) {
	if (address == "") == (service == "") {
		c.report(field, "needs exactly one of url and service", "service: NAMESPACE/SERVICE:PORT is reached through the API server")
	}
	c.webAddress(join(field, "url"), address)
	c.inClusterAddress(join(field, "service"), service)
}

// inClusterAddress checks NAMESPACE/SERVICE:PORT; unset is fine.
func (c *checker) inClusterAddress(field, text string) {
	if !c.written(field) {
		return
	}
	if _, err := ParseServiceAddress(text); err != nil {
		c.report(field, shown(text)+" is not NAMESPACE/SERVICE:PORT", "such as monitoring/prometheus:9090")
	}
}

// webAddress checks an http or https URL; unset is fine.
func (c *checker) webAddress(field, text string) {
	if !c.written(field) {
		return
	}
	address, err := url.Parse(text)
	if err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "" {
		c.report(field, shown(text)+" is not a URL", "such as http://prometheus.example:9090")
	}
}
