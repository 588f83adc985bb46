package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// fieldJudge holds what stands in an object against the Go type of its kind. It goes
// field by field, since the decoders of Kubernetes stop at the first value of
// another type and don't say where that stands.
type fieldJudge struct{ mistakes []ManifestError }

// value judges what stands at a field.
func (m *fieldJudge) value(field string, value any, into reflect.Type) {
	for into.Kind() == reflect.Pointer {
		into = into.Elem()
	}
	switch {
	case value == nil || into.Kind() == reflect.Interface:
	case reflect.PointerTo(into).Implements(reflect.TypeFor[json.Unmarshaler]()):
		m.scalar(field, value, into)
	case into.Kind() == reflect.Struct:
		m.structure(field, value, into)
	case into.Kind() == reflect.Map:
		m.mapping(field, value, into)
	case into.Kind() == reflect.Slice && into.Elem().Kind() != reflect.Uint8:
		m.list(field, value, into)
	default:
		m.scalar(field, value, into)
	}
}

func (m *fieldJudge) structure(field string, value any, into reflect.Type) {
	body, is := value.(map[string]any)
	if !is {
		m.add(field, value, into)
		return
	}
	fields := map[string]reflect.Type{}
	collectFields(into, fields)
	for _, key := range slices.Sorted(maps.Keys(body)) {
		inner, known := fields[key]
		if !known {
			m.mistakes = append(m.mistakes, ManifestError{Field: within(field, key), Message: "unknown field", Unknown: true,
				Remedy: release.DidYouMean(key, slices.Sorted(maps.Keys(fields)), "take it out, or put it where it belongs: kubectl explain tells the fields of each kind")})
			continue
		}
		m.value(within(field, key), body[key], inner)
	}
}

func (m *fieldJudge) mapping(field string, value any, into reflect.Type) {
	body, is := value.(map[string]any)
	if !is {
		m.add(field, value, into)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(body)) {
		m.value(within(field, key), body[key], into.Elem())
	}
}

func (m *fieldJudge) list(field string, value any, into reflect.Type) {
	items, is := value.([]any)
	if !is {
		m.add(field, value, into)
		return
	}
	for index, item := range items {
		m.value(indexed(field, "", index), item, into.Elem())
	}
}

// scalar judges a value by the decoder itself.
func (m *fieldJudge) scalar(field string, value any, into reflect.Type) {
	text, err := json.Marshal(value)
	if err != nil || json.Unmarshal(text, reflect.New(into).Interface()) != nil {
		m.add(field, value, into)
	}
}

// add notes a value of another type than its field's, without the value.
func (m *fieldJudge) add(field string, value any, into reflect.Type) {
	expected, found := expectation(into), described(value)
	if expected == found { // and yet it is refused
		found = "one that is too large"
	}
	remedy := "write " + expected + " there"
	if _, isText := value.(string); into.Kind() == reflect.String && !isText {
		remedy = "put the value in quotes"
	}
	m.mistakes = append(m.mistakes, ManifestError{Field: field, Message: "expected " + expected + ", found " + found, Remedy: remedy})
}

// collectFields are the types of a structure's fields by their names in JSON.
func collectFields(structure reflect.Type, into map[string]reflect.Type) {
	for index := range structure.NumField() {
		field := structure.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case name == "-":
		case name == "" && (field.Anonymous || strings.Contains(options, "inline")) && inner.Kind() == reflect.Struct:
			collectFields(inner, into)
		case name != "" && field.IsExported():
			into[name] = field.Type
		}
	}
}

// expectation says what a field takes.
func expectation(into reflect.Type) string {
	switch into.Name() {
	case "Quantity":
		return "a quantity such as 500m or 128Mi"
	case "IntOrString":
		return "a whole number or text"
	case "Time", "MicroTime":
		return "a time such as 2026-01-02T15:04:05Z"
	case "Duration":
		return "a duration such as 30s"
	}
	switch into.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		if into.Elem().Kind() == reflect.Uint8 {
			return "text in base64"
		}
		return "a list"
	}
	return "a mapping"
}

// described says of what kind a value is, and never which.
func described(value any) string {
	switch value := value.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return "a number with a fraction"
		}
		return "a whole number"
	case []any:
		return "a list"
	}
	return "a mapping"
}

// within is the path of a field inside another, indexed that of an item.
func within(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

func indexed(field, key string, index int) string {
	if key != "" {
		field = within(field, key)
	}
	return fmt.Sprintf("%s[%d]", field, index)
}
