package statement

import (
	"slices"
	"strings"
)

// revoke reads what follows REVOKE: what is taken away, and of which objects.
func (r *reader) revoke() {
	rest := r.everything()
	inner := &reader{tokens: rest, end: r.end}
	r.did(Revoke{Text: rest.String(), Objects: inner.revoked()})
}

// revoked are the objects behind ON, none where a role is taken away, or what
// comes is not known.
func (r *reader) revoked() []Object {
	for !r.comes("on") {
		if r.done() || r.comes("from") {
			return nil
		}
		r.take()
	}
	r.take()
	kind := r.grantedKind()
	objects := []Object{}
	for {
		name := r.name()
		objects = append(objects, Object{Kind: kind, Name: name, Arguments: r.arguments(kind)})
		if !r.accept(",") {
			break
		}
	}
	if r.expect("from"); r.problem != "" {
		return nil
	}
	return objects
}

// grantedKind takes the kind of what rights are about; ALL TABLES IN SCHEMA
// and its like are about the schemas.
func (r *reader) grantedKind() string {
	if r.comes("all") && r.ahead(2).Is("in") && r.ahead(3).Is("schema") {
		r.next += 4
		return "schema"
	}
	for _, words := range [][]string{{"table"}, {"sequence"}, {"database"}, {"domain"}, {"type"}, {"function"}, {"procedure"}, {"routine"}, {"schema"},
		{"language"}, {"foreign", "data", "wrapper"}, {"foreign", "server"}, {"large", "object"}, {"parameter"}, {"tablespace"}} {
		if r.accept(words...) {
			return strings.Join(words, " ")
		}
	}
	return "table"
}

// arguments take what tells a function from others of its name, if it is there.
func (r *reader) arguments(kind string) *string {
	if !r.comes("(") {
		return nil
	}
	read := signature(kind, r.parenthesised())
	return &read
}

// signature is what tells functions of one name apart: the types of what they
// are given, and, since PostgreSQL 14, of what procedures give back.
func signature(kind string, list Expression) string {
	var types []string
	for r := (&reader{tokens: list}); !r.done(); r.accept(",") {
		argument := r.until()
		if i := slices.IndexFunc(argument, func(token Token) bool { return token.Is("default") || token.Is("=") }); i >= 0 {
			argument = argument[:i]
		}
		if mode := argument.at(0); mode.Is("out") && kind == "function" {
			continue
		} else if mode.Is("out") {
			types = append(types, "out "+argument[1:].typeOfArgument())
			continue
		} else if mode.Is("in") || mode.Is("inout") || mode.Is("variadic") {
			argument = argument[1:]
		}
		types = append(types, argument.typeOfArgument())
	}
	return strings.Join(types, ", ")
}

// typeOfArgument is the type of an argument, which may have a name before it.
func (e Expression) typeOfArgument() string {
	for _, tokens := range []Expression{e, e[min(1, len(e)):]} {
		r := &reader{tokens: tokens}
		read := r.dataType()
		if r.problem == "" && r.done() {
			read.Modifiers = nil // which tell no functions apart
			return read.String()
		}
	}
	return e.String()
}
