package routertest

import "cmp"

// Listed are the backends of a kind that holds them as a list, each with its
// weight: where that is, how one is made and what the Service of one is.
type Listed struct {
	Holder  func(object map[string]any) map[string]any
	Field   string
	Make    func(service string, weight int64) map[string]any
	Service func(backend map[string]any) string
	// Weight is the field of the weight; "" is "weight".
	Weight string
}

// List is the list itself.
func (l Listed) List(object map[string]any) []any {
	list, _ := l.Holder(object)[l.Field].([]any)
	return list
}

// Backends are the backends, as a [Kind] wants them; so are Set and Insert.
func (l Listed) Backends(object map[string]any) []Backend {
	var found []Backend
	for _, entry := range l.List(object) {
		one, _ := entry.(map[string]any)
		weight, _ := one[cmp.Or(l.Weight, "weight")].(int64)
		found = append(found, Backend{Color: l.Service(one), Weight: weight})
	}
	return found
}

// Set sets the weight of each backend of a Service.
func (l Listed) Set(object map[string]any, service string, weight int64) {
	for _, entry := range l.List(object) {
		if one, _ := entry.(map[string]any); l.Service(one) == service {
			one[cmp.Or(l.Weight, "weight")] = weight
		}
	}
}

// Insert adds a backend at the end.
func (l Listed) Insert(object map[string]any, service string, weight int64) {
	l.Holder(object)[l.Field] = append(l.List(object), l.Make(service, weight))
}

// Within is an object or the first of a list below another one.
func Within(object map[string]any, path ...string) map[string]any {
	for _, field := range path {
		switch below := object[field].(type) {
		case map[string]any:
			object = below
		case []any:
			object, _ = below[0].(map[string]any)
		}
	}
	return object
}

// appendTo adds an entry to a list.
func appendTo(object, entry map[string]any, path ...string) {
	holder, field := Within(object, path[:len(path)-1]...), path[len(path)-1]
	list, _ := holder[field].([]any)
	holder[field] = append(list, entry)
}

// nameOf is the field name of a backend.
func nameOf(backend map[string]any) string { name, _ := backend["name"].(string); return name }
