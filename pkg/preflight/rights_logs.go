package preflight

import (
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// lookRights are those to ask what only checks look at: where logs are kept, and
// what people watch. A run can do without.
func lookRights(all *rights, spec release.Spec) error {
	if loki := spec.Logs.Loki; loki != nil {
		if err := all.toAsk("Loki", "BG-LOG-01 and BG-LOG-02 can't tell", loki.Service); err != nil {
			return fmt.Errorf("read spec.logs.loki: %w", err)
		}
	}
	grafana := spec.Dashboard.Grafana
	if grafana == nil {
		return nil
	}
	const without = "BG-MON-07 can't tell"
	if ref := grafana.Token.SecretKeyRef; ref != nil {
		all.want("read the token for Grafana", without, all.in("", "secrets", ref.Name), "get")
	}
	if grafana.Token.IsZero() {
		if err := all.toAsk("Grafana", without, grafana.Service); err != nil {
			return fmt.Errorf("read spec.dashboard.grafana: %w", err)
		}
		return nil
	}
	return all.toForward("Grafana", without, grafana.Service)
}

// toForward adds the rights to ask a Service with a token, which the API server's
// proxy would keep to itself: by a port-forward to a pod of it.
func (r *rights) toForward(who, without, service string) error {
	if service == "" {
		return nil
	}
	address, err := release.ParseServiceAddress(service)
	if err != nil {
		return err
	}
	purpose := "ask " + who + " with a token"
	for _, right := range []struct{ group, resource, name, verb string }{
		{"", "services", address.Service, "get"}, {"discovery.k8s.io", "endpointslices", "", "list"},
		{"", "pods/portforward", "", "create"}, {"", "pods/portforward", "", "get"},
	} {
		resource, part, _ := strings.Cut(right.resource, "/")
		r.want(purpose, without, authorizationv1.ResourceAttributes{
			Namespace: address.Namespace, Group: right.group, Resource: resource, Subresource: part, Name: right.name}, right.verb)
	}
	return nil
}
