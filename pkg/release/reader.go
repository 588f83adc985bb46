package release

import (
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maximumNodes bounds how many nodes are read, aliases followed, so that a
// small text can't unfold into a large document.
const maximumNodes = 20000

// reader fills Go values from nodes, strictly: what the types don't have, or
// have in another type, is a problem. It goes on after one, so that all are
// told at once.
type reader struct {
	*source
	nodes int
}

// readRelease fills a Release from the source's root. Of a document that is
// too large it reports that alone, and returns nil.
func (s *source) readRelease() *Release {
	var document Release
	if !s.fill(&document) {
		return nil
	}
	return &document
}

// fill fills what into points to from the source's root. Of a document that is
// too large it reports that alone, and returns false.
func (s *source) fill(into any) bool {
	r := &reader{source: s}
	r.read(s.root, "", reflect.ValueOf(into).Elem())
	if r.nodes > maximumNodes {
		s.problems = Problems{{File: s.file, Line: s.root.Line, Column: s.root.Column,
			Message: fmt.Sprintf("unfolds to more than %d values", maximumNodes), Remedy: "write it without YAML aliases"}}
		return false
	}
	return true
}

// read fills one value from one node.
func (r *reader) read(node *yaml.Node, field string, into reflect.Value) {
	if r.nodes++; r.nodes > maximumNodes {
		return
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	r.fields[field] = node
	if node.ShortTag() == "!!null" {
		delete(r.fields, field)
		return
	}
	switch value := into.Addr().Interface().(type) {
	case *Duration:
		r.readDuration(node, field, value)
		return
	case *Workload:
		r.readWorkload(node, field, value)
		return
	case *Date:
		r.readDate(node, field, value)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		r.nodes--
		r.read(node, field, into.Elem())
	case reflect.Struct:
		r.readStruct(node, field, into)
	case reflect.Map:
		r.readMap(node, field, into)
	case reflect.Slice:
		r.readList(node, field, into)
	default:
		r.readScalar(node, field, into)
	}
}

// problem reports a problem at a node.
func (r *reader) problem(node *yaml.Node, field, message, hint string) {
	r.at(node.Line, node.Column, field, message, hint)
}

// entry is one key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// entries returns what a mapping holds, each key once; keys that are not
// plain text, or that are there twice, are problems.
func (r *reader) entries(node *yaml.Node, field string) []entry {
	var found []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch {
		case key.ShortTag() == "!!merge":
			r.problem(key, field, "merge keys are not read", "write the fields out")
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			r.problem(key, field, "a key here is "+describe(key)+"; text was expected", "put the key in quotes")
		case seen[key.Value]:
			r.problem(key, join(field, key.Value), "is there twice", "keep one of them")
		default:
			seen[key.Value] = true
			found = append(found, entry{key, node.Content[i+1]})
		}
	}
	return found
}

func (r *reader) readStruct(node *yaml.Node, field string, into reflect.Value) {
	indexes, required := fieldsOf(into.Type())
	if node.Kind != yaml.MappingNode {
		expected := "a mapping of " + strings.Join(fieldNames(into.Type()), ", ")
		if node.ShortTag() == "!!str" && len(required) == 1 {
			expected += fmt.Sprintf(", such as {%s: …}", required[0])
		}
		r.wrongType(node, field, expected)
		return
	}
	present := map[string]bool{}
	for _, entry := range r.entries(node, field) {
		name := entry.key.Value
		index, known := indexes[name]
		if !known {
			r.unknownField(entry.key, field, fieldNames(into.Type()))
			continue
		}
		present[name] = entry.value.ShortTag() != "!!null"
		r.read(entry.value, join(field, name), into.Field(index))
	}
	for _, name := range required {
		if at := join(field, name); !present[name] && !r.meant[at] {
			r.problem(node, at, "is required", "")
		} else if value := into.Field(indexes[name]); present[name] && value.Kind() == reflect.String && value.Len() == 0 && !r.troubled(at) {
			r.problem(r.fields[at], at, "must not be empty", "")
		}
	}
}

// unknownField reports a field that doesn't exist and what was likely meant.
func (r *reader) unknownField(key *yaml.Node, field string, known []string) {
	hint := "known here: " + strings.Join(known, ", ")
	if closest := Closest(key.Value, known); closest != "" {
		hint = fmt.Sprintf("did you mean %q?", closest)
		r.meant[join(field, closest)] = true
	}
	r.problem(key, join(field, key.Value), "unknown field", hint)
}

func (r *reader) readMap(node *yaml.Node, field string, into reflect.Value) {
	if node.Kind != yaml.MappingNode {
		r.wrongType(node, field, "a mapping")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, entry := range r.entries(node, field) {
		value := reflect.New(into.Type().Elem()).Elem()
		r.read(entry.value, join(field, entry.key.Value), value)
		into.SetMapIndex(reflect.ValueOf(entry.key.Value), value)
	}
}

func (r *reader) readList(node *yaml.Node, field string, into reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		r.wrongType(node, field, "a list")
		return
	}
	for i, item := range node.Content {
		if r.nodes > maximumNodes {
			return
		}
		at := fmt.Sprintf("%s[%d]", field, i)
		if item.ShortTag() == "!!null" {
			r.problem(item, at, "is empty", "remove it")
		}
		value := reflect.New(into.Type().Elem()).Elem()
		r.read(item, at, value)
		into.Set(reflect.Append(into, value))
	}
}

func (r *reader) readScalar(node *yaml.Node, field string, into reflect.Value) {
	tag := node.ShortTag()
	if node.Kind != yaml.ScalarNode {
		tag = ""
	}
	switch into.Kind() {
	case reflect.String:
		if tag != "!!str" {
			r.wrongType(node, field, "text")
			return
		}
		into.SetString(node.Value)
	case reflect.Bool:
		if tag != "!!bool" {
			r.wrongType(node, field, "true or false")
			return
		}
		into.SetBool(strings.EqualFold(node.Value, "true"))
	case reflect.Int:
		number, err := strconv.ParseInt(node.Value, 0, 32)
		if tag != "!!int" || err != nil {
			r.wrongType(node, field, "a whole number")
			return
		}
		into.SetInt(number)
	case reflect.Float64:
		number, err := strconv.ParseFloat(node.Value, 64)
		if (tag != "!!int" && tag != "!!float") || err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
			r.wrongType(node, field, "a finite number")
			return
		}
		into.SetFloat(number)
	}
}

// longest bounds every duration of a document. It keeps sums of them far from
// overflowing, and nobody watches a release for longer than a week.
const longest = 7 * 24 * time.Hour

func (r *reader) readDuration(node *yaml.Node, field string, into *Duration) {
	if tag := node.ShortTag(); node.Kind != yaml.ScalarNode || tag != "!!str" {
		hint := "write a number with a unit, such as 90s or 3m"
		if tag == "!!int" && node.Kind == yaml.ScalarNode && len(node.Value) < 10 {
			hint = fmt.Sprintf("write %ss if seconds were meant, %sm for minutes", node.Value, node.Value)
		}
		r.problem(node, field, "expected a duration with a unit, found "+describe(node), hint)
		return
	}
	value, err := time.ParseDuration(node.Value)
	switch {
	case err != nil:
		r.problem(node, field, shown(node.Value)+" is not a duration", "write a number with a unit, such as 90s, 3m or 1h30m")
	case value < 0:
		r.problem(node, field, "must not be negative", "")
	case value > longest:
		r.problem(node, field, "must not be longer than 168h", "")
	default:
		*into = Duration(value)
	}
}

// readDate takes a day as YAML's own type, which is what it looks like without
// quotes, and as text.
func (r *reader) readDate(node *yaml.Node, field string, into *Date) {
	const hint = "write year-month-day, such as 2027-01-31"
	if tag := node.ShortTag(); node.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!timestamp" {
		r.problem(node, field, "expected a date, found "+describe(node), hint)
		return
	}
	if _, ok := Date(node.Value).Ends(); !ok && node.Value != "" {
		r.problem(node, field, shown(node.Value)+" is not a date", hint)
		return
	}
	*into = Date(node.Value)
}

func (r *reader) readWorkload(node *yaml.Node, field string, into *Workload) {
	const hint = "write deployment/NAME or statefulset/NAME"
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
		r.problem(node, field, "expected a workload as text, found "+describe(node), hint)
		return
	}
	workload, err := ParseWorkload(node.Value)
	if err != nil {
		r.problem(node, field, shown(node.Value)+" is not a workload", hint)
		return
	}
	*into = workload
}

// wrongType reports a value of another type than the field has.
func (r *reader) wrongType(node *yaml.Node, field, expected string) {
	hint := ""
	if node.Kind == yaml.ScalarNode && expected == "text" {
		hint = "put the value in quotes"
	}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" && node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && strings.HasSuffix(expected, "number") {
		hint = "write it without quotes"
	}
	if node.Kind == yaml.MappingNode && field == "spec.metrics.alertmanager" { // where its siblings have one
		hint = "write the address alone, such as alertmanager: monitoring/alertmanager:9093"
	}
	r.problem(node, field, "expected "+expected+", found "+describe(node), hint)
}

// describe names what a node is, without what it says.
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.ShortTag() {
	case "!!str":
		return "text"
	case "!!int":
		return "a whole number"
	case "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	}
	return "a value of another type"
}

// fieldsOf returns the index of each field by its JSON name, and the names of
// those that a document must have: the ones without omitempty.
func fieldsOf(structure reflect.Type) (indexes map[string]int, required []string) {
	indexes = map[string]int{}
	for i := range structure.NumField() {
		name, options, _ := strings.Cut(structure.Field(i).Tag.Get("json"), ",")
		indexes[name] = i
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return indexes, required
}

func fieldNames(structure reflect.Type) []string {
	indexes, _ := fieldsOf(structure)
	names := make([]string, 0, len(indexes))
	for name := range indexes {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return indexes[names[i]] < indexes[names[j]] })
	return names
}

// join extends a field path. A key that has the path's own signs in it, such
// as a label's, stands in brackets.
func join(field, name string) string {
	name = strings.ToValidUTF8(name, "�")
	if credential.MatchString(name) {
		name = "…"
	}
	if strings.ContainsAny(name, ".[]/ ") {
		return field + "[" + name + "]"
	}
	if field == "" {
		return name
	}
	return field + "." + name
}
