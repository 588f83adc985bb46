package traffic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// An Ingress of the AWS Load Balancer Controller
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/)
// leads a path to an action, which an annotation describes as JSON: a list of
// target groups, each a Service with a weight. A path that leads to a Service
// past any action shares nothing.

const (
	albActions    = "alb.ingress.kubernetes.io/actions."
	albConditions = "alb.ingress.kubernetes.io/conditions."
	// albByAnnotation is the port of a backend that is an action.
	albByAnnotation = "use-annotation"
	// albHeaviest is the greatest weight that a load balancer takes.
	albHeaviest = 999
)

func albIngressDriver() driver {
	return weightedDriver("albIngress", always(weightedKind{
		kind: "ingress", proper: "Ingress",
		resource: ingressResource(),
		pools:    albPools,
		writes:   writeActions,
		owned:    albOwned,
		named:    []string{"metadata", "annotations", albActions},
		affinity: albAffinity,
		unproven: true,
	}))
}

// albPools are the target groups of each action that a path leads to, and the
// Service of each path that leads to one.
func albPools(object map[string]any) ([]pool, error) {
	paths, err := ingressPaths(object)
	if err != nil {
		return nil, err
	}
	var pools []pool
	for _, path := range paths {
		one := pool{name: path.name, backends: []backend{{service: path.service, weight: 1}}}
		if path.port == albByAnnotation {
			action, err := albActionOf(object, path.service)
			if err != nil {
				return nil, err
			}
			one = action.pool()
		}
		if slices.ContainsFunc(pools, func(known pool) bool { return known.name == one.name }) {
			continue
		}
		if one.chosen, err = albChosen(object, path.service); err != nil {
			return nil, err
		}
		pools = append(pools, one)
	}
	return pools, nil
}

// albAction is an action, as the annotation has it and as it is understood.
type albAction struct {
	name string
	// text is everything that stands there, and groups are the target groups in
	// it; sticky says that a client stays with its group.
	text   map[string]any
	groups []albGroup
	sticky bool
}

// albGroup is one target group: where it stands, and what it says.
type albGroup struct {
	stands  map[string]any
	service string
	weight  int64
}

// albActionOf reads an action. The controller takes the names of fields in
// whatever case they are written.
func albActionOf(object map[string]any, name string) (albAction, error) {
	key := albActions + name
	action := albAction{name: name}
	annotations, _, _ := unstructured.NestedStringMap(object, "metadata", "annotations")
	decoder := json.NewDecoder(strings.NewReader(annotations[key]))
	decoder.UseNumber() // what isn't ours is written as it was read
	if err := decoder.Decode(&action.text); err != nil {
		return action, fmt.Errorf("read annotation %s: %w", key, err)
	}
	forward, _ := anyCase(action.text, "forwardConfig").(map[string]any)
	stickiness, _ := anyCase(forward, "targetGroupStickinessConfig").(map[string]any)
	action.sticky, _ = anyCase(stickiness, "enabled").(bool)
	groups, _ := anyCase(forward, "targetGroups").([]any)
	for at, entry := range groups {
		one := albGroup{}
		one.stands, _ = entry.(map[string]any)
		one.service, _ = anyCase(one.stands, "serviceName").(string)
		said := anyCase(one.stands, "weight")
		number, _ := said.(json.Number)
		var err error
		if one.weight, err = number.Int64(); said == nil && len(groups) == 1 {
			one.weight = 1 // everything, whatever it is
		} else if said == nil {
			return action, fmt.Errorf("read annotation %s: target group %d has no weight, and beside others it needs one", key, at)
		} else if err != nil || one.weight < 0 {
			return action, fmt.Errorf("read annotation %s: the weight of target group %d is %v, expected a whole number", key, at, said)
		}
		action.groups = append(action.groups, one)
	}
	return action, nil
}

// anyCase is a field of an object, by its name in any case; nil where there is
// none.
func anyCase(object map[string]any, name string) any { return object[spelled(object, name)] }

// spelled is how the name of a field is written in an object.
func spelled(object map[string]any, name string) string {
	if _, exactly := object[name]; exactly {
		return name
	}
	for key := range object {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}

// pool is the action's list of backends.
func (a albAction) pool() pool {
	one := pool{name: albPoolName(a.name)}
	for _, group := range a.groups {
		one.backends = append(one.backends, backend{service: group.service, weight: group.weight, stands: true})
	}
	return one
}

func albPoolName(action string) string { return "action " + action }

// albChosen reports whether what leads to an action, or to a Service, wants a
// header or a parameter that a client sets. All conditions must hold.
func albChosen(object map[string]any, name string) (bool, error) {
	annotations, _, _ := unstructured.NestedStringMap(object, "metadata", "annotations")
	text, found := annotations[albConditions+name]
	if !found {
		return false, nil
	}
	var conditions []struct {
		Field string `json:"field"`
	}
	if err := json.Unmarshal([]byte(text), &conditions); err != nil {
		return false, fmt.Errorf("read annotation %s: %w", albConditions+name, err)
	}
	for _, condition := range conditions {
		if condition.Field == "http-header" || condition.Field == "query-string" {
			return true, nil
		}
	}
	return false, nil
}

// albUsed are the actions that some path leads to, by the names of their pools.
func albUsed(object map[string]any) (map[string]albAction, error) {
	paths, err := ingressPaths(object)
	if err != nil {
		return nil, err
	}
	used := map[string]albAction{}
	for _, path := range paths {
		if path.port != albByAnnotation {
			continue
		}
		action, err := albActionOf(object, path.service)
		if err != nil {
			return nil, err
		}
		used[albPoolName(action.name)] = action
	}
	return used, nil
}

// writeActions writes the text of each action anew, with other weights.
func writeActions(object map[string]any, weighed []pool) ([]cluster.Operation, error) {
	used, err := albUsed(object)
	if err != nil {
		return nil, err
	}
	var operations []cluster.Operation
	for _, one := range weighed {
		action := used[one.name]
		for at, entry := range one.backends {
			if entry.weight > albHeaviest {
				return nil, fmt.Errorf("the weight of target group %d of %s would be %d, and a load balancer takes %d at most", at, one.name, entry.weight, albHeaviest)
			}
			stands := action.groups[at].stands
			stands[spelled(stands, "weight")] = entry.weight
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(action.text); err != nil {
			return nil, fmt.Errorf("write %s: %w", one.name, err)
		}
		operations = append(operations, cluster.Annotate(albActions+action.name, strings.TrimSpace(text.String())))
	}
	return operations, nil
}

// albOwned are the annotations that hold weights.
func albOwned(object map[string]any) [][]string {
	used, _ := albUsed(object)
	var fields [][]string
	for _, name := range slices.Sorted(maps.Keys(used)) {
		fields = append(fields, []string{"metadata", "annotations", albActions + used[name].name})
	}
	return fields
}

// albAffinity is the stickiness of an action, by which a client stays with its
// target group, or of the Ingress.
func albAffinity(object map[string]any) string {
	used, _ := albUsed(object)
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if used[name].sticky {
			return "cookie (targetGroupStickinessConfig of " + name + ")"
		}
	}
	return ingressAffinity(object)
}
