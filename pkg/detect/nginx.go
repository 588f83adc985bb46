package detect

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ingress-nginx shares by a pair of Ingresses, of which the canary holds the
// weight. One object does not say whose canary it is: that is found out when
// all have been read.

const nginxPrefix = "nginx.ingress.kubernetes.io/"

func isCanary(object *unstructured.Unstructured) bool {
	canary, err := strconv.ParseBool(object.GetAnnotations()[nginxPrefix+"canary"])
	return err == nil && canary
}

// nginxConditions are what a request must have to be the canary's.
func nginxConditions(annotations map[string]string) []condition {
	var conditions []condition
	for _, part := range []struct{ annotation, word string }{{"canary-by-header", "header"}, {"canary-by-cookie", "cookie"}} {
		if name := annotations[nginxPrefix+part.annotation]; name != "" {
			conditions = append(conditions, condition{on: part.word + " " + name, is: "chooses it"})
		}
	}
	if weight := annotations[nginxPrefix+"canary-weight"]; weight != "" {
		conditions = append(conditions, condition{on: "canary-weight", is: weight})
	}
	return conditions
}

// pairCanaries gives each canary the Ingress that it takes a part of.
func (l *landscape) pairCanaries() {
	for _, one := range l.objects {
		if one.reading.declares.NginxIngress == nil {
			continue
		}
		main := l.mainOf(one)
		if main == nil {
			one.reading.unfit = obstructed("give it the host and the paths of one that has no annotation "+nginxPrefix+"canary",
				"it is a canary of ingress-nginx, and no Ingress beside it has all its hosts and paths")
			continue
		}
		one.reading.declares.NginxIngress = &release.NginxIngressRoute{Name: one.object.GetName(), Main: main.object.GetName()}
		one.reading.lists[0].Backends[1].Service = serviceAt(main, one.reading.claims[0].place)
		main.reading.unfit = obstructed("see "+one.self().String(), "ingress-nginx gives a part of its requests to %s, by the weight that stands there", one.self())
	}
}

// mainOf is the Ingress whose requests a canary takes a part of, nil for none.
func (l *landscape) mainOf(canary *routing) *routing {
	for _, one := range l.objects {
		if one.kind.name != canary.kind.name || one.object.GetNamespace() != canary.object.GetNamespace() || isCanary(one.object) {
			continue
		}
		lacks := slices.ContainsFunc(canary.reading.claims, func(part claim) bool { return serviceAt(one, part.place) == "" })
		if !lacks && len(canary.reading.claims) > 0 {
			return one
		}
	}
	return nil
}

// serviceAt is the Service that an object leads to from a place, "" for none.
func serviceAt(one *routing, place string) string {
	for _, part := range one.reading.claims {
		if part.place == place && len(part.leads) == 1 && part.leads[0].to.kind == kindService {
			return part.leads[0].to.name
		}
	}
	return ""
}
