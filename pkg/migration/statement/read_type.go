package statement

import "strings"

// dataType reads the name of a type with its modifiers.
func (r *reader) dataType() Type {
	r.accept("setof")
	name := r.name()
	read := Type{Name: name.Name}
	if name.Schema != "" && name.Schema != "pg_catalog" {
		read.Name = name.String()
	}
	switch {
	case read.Name == "double" && r.accept("precision"):
		read.Name = "double precision"
	case read.Name == "national":
		if _, found := r.acceptAny("character", "char"); !found {
			r.fail("%s is no type", r.here())
		}
		read.Name = "character"
	}
	if canonical, found := typeAliases()[read.Name]; found {
		read.Name = canonical
	}
	if (read.Name == "character" || read.Name == "bit") && r.accept("varying") {
		read.Name += " varying"
	}
	if read.Name == "interval" {
		r.intervalFields()
	}
	if r.comes("(") {
		read.Modifiers = r.modifiers()
	}
	if read.Name == "timestamp" || read.Name == "time" {
		if r.accept("with", "time", "zone") {
			read.Name += " with time zone"
		} else {
			r.accept("without", "time", "zone")
		}
	}
	if r.accept("%", "type") {
		read.Name += "%type"
	}
	for r.comes("[") || r.comes("array") {
		read.Array = true
		r.take()
		if r.peek().Kind == Number {
			r.take()
		}
		r.accept("]")
	}
	return read
}

func (r *reader) intervalFields() {
	for {
		if _, found := r.acceptAny("year", "month", "day", "hour", "minute", "second"); !found {
			return
		}
		if !r.accept("to") {
			return
		}
	}
}

func (r *reader) modifiers() []string {
	var modifiers []string
	for _, part := range strings.Split(r.parenthesised().String(), ",") {
		modifiers = append(modifiers, strings.TrimSpace(part))
	}
	return modifiers
}
