package traffic

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A custom route is an object of a kind that this program knows nothing of but
// where its weights stand. What its proxy makes of them is proven by the
// requests alone.

func customDriver() driver {
	return weightedDriver("custom", func(traffic release.Traffic) (weightedKind, error) {
		custom := traffic.Custom
		version, err := schema.ParseGroupVersion(custom.APIVersion)
		if err != nil {
			return weightedKind{}, fmt.Errorf("read apiVersion: %w", err)
		}
		kind := weightedKind{
			kind: custom.Resource, resource: version.WithResource(custom.Resource), colors: colorServices{}, unproven: true,
			pools: func(object map[string]any) ([]pool, error) { return customPools(object, custom.Weights) },
			split: customSplit(custom.Weights),
			writes: func(object map[string]any, weighed []pool) ([]cluster.Operation, error) {
				return customWrites(object, weighed), nil
			},
		}
		for _, color := range slices.Sorted(maps.Keys(custom.Weights)) {
			kind.colors[color] = color
			for _, pointer := range custom.Weights[color] {
				kind.fields = append(kind.fields, tokens(pointer))
			}
		}
		return kind, nil
	})
}

// customPools pairs the places of the colours: the first of one with the first
// of the other.
func customPools(object map[string]any, weights map[string][]string) ([]pool, error) {
	var pools []pool
	for _, color := range slices.Sorted(maps.Keys(weights)) {
		for i, pointer := range weights[color] {
			for len(pools) <= i {
				pools = append(pools, pool{name: fmt.Sprintf("weights[%d]", len(pools))})
			}
			found, err := at(object, tokens(pointer))
			if err != nil {
				return nil, fmt.Errorf("weight of %s at %s: %w", color, pointer, err)
			}
			weight, err := whole(found)
			if err != nil {
				return nil, fmt.Errorf("weight of %s at %s: %w", color, pointer, err)
			}
			pools[i].backends = append(pools[i].backends, backend{service: color, weight: weight, pointer: pointer, stands: true})
		}
	}
	return pools, nil
}

// customWrites writes each weight as what stands there: a number, or a text.
func customWrites(object map[string]any, weighed []pool) []cluster.Operation {
	var operations []cluster.Operation
	for _, one := range weighed {
		for _, entry := range one.backends {
			operation := cluster.Operation{Op: "replace", Path: entry.pointer, Value: entry.weight}
			if found, _ := at(object, tokens(entry.pointer)); isText(found) {
				operation.Value = strconv.FormatInt(entry.weight, 10)
			}
			operations = append(operations, operation)
		}
	}
	slices.SortFunc(operations, func(a, b cluster.Operation) int { return strings.Compare(a.Path, b.Path) })
	return operations
}

// tokens are the parts of a JSON pointer (RFC 6901).
func tokens(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts
}

// at is what stands at a place of an object; nothing there is an error.
func at(object any, path []string) (any, error) {
	for i, token := range path {
		switch held := object.(type) {
		case map[string]any:
			next, found := held[token]
			if !found {
				return nil, fmt.Errorf("there is no %s", strings.Join(path[:i+1], "/"))
			}
			object = next
		case []any:
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(held) {
				return nil, fmt.Errorf("there is no %s: the list has %d entries", strings.Join(path[:i+1], "/"), len(held))
			}
			object = held[index]
		default:
			return nil, fmt.Errorf("%s is neither an object nor a list", strings.Join(path[:i], "/"))
		}
	}
	return object, nil
}

func isText(value any) bool { _, text := value.(string); return text }

// whole is a weight that is a number, or a text of one.
func whole(value any) (int64, error) {
	if text, is := value.(string); is {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil || number < 0 {
			return 0, fmt.Errorf("%q is not a whole number", text)
		}
		return number, nil
	}
	number, _, err := numberAt(map[string]any{"weight": value}, "weight", 0)
	return number, err
}
