package statement

import "strings"

// Name is what an object is called.
type Name struct {
	// Schema is "" where the search path decides.
	Schema string
	Name   string
}

// String is the name as it is written, without quotes.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// Quote writes a name so that SQL reads it back as the same.
func (n Name) Quote() string {
	if n.Schema == "" {
		return Quote(n.Name)
	}
	return Quote(n.Schema) + "." + Quote(n.Name)
}

// Quote writes one part of a name, in quotes where it needs them.
func Quote(part string) string {
	plain := part != "" && !isDigit(part[0])
	for i := range len(part) {
		char := part[i]
		plain = plain && (char >= 'a' && char <= 'z' || isDigit(char) || char == '_')
	}
	if plain {
		return part
	}
	return `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
}

// Type is the type of a column.
type Type struct {
	// Name is PostgreSQL's own name of it, such as bigint for int8; serial
	// and its like stay as they are.
	Name string
	// Modifiers are what stands in parentheses, such as 10 and 2.
	Modifiers []string
	Array     bool
}

// String is the type as SQL writes it.
func (t Type) String() string {
	text := t.Name
	if len(t.Modifiers) > 0 {
		text += "(" + strings.Join(t.Modifiers, ",") + ")"
	}
	if t.Array {
		text += "[]"
	}
	return text
}

// IsSerial reports whether the type makes a sequence and a default of its own.
func (t Type) IsSerial() bool {
	return strings.HasSuffix(t.Name, "serial") && !strings.Contains(t.Name, ".")
}

// typeAliases are the other names of PostgreSQL's types.
func typeAliases() map[string]string {
	return map[string]string{
		"int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint",
		"bool": "boolean", "float8": "double precision", "float4": "real", "float": "double precision",
		"decimal": "numeric", "dec": "numeric", "char": "character", "varchar": "character varying",
		"timestamptz": "timestamp with time zone", "timetz": "time with time zone",
		"varbit": "bit varying", "serial4": "serial", "serial8": "bigserial", "serial2": "smallserial",
		"nchar": "character",
	}
}
