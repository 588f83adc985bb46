package release

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// documentSource is the file that the types are written in: their comments
// are the descriptions of the schema.
//
//go:embed document.go
var documentSource string

// The forms of the types that are written as text.
const (
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	datePattern     = `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`
	workloadPattern = `^([Dd]eployments?|deploy|[Ss]tatefulsets?|StatefulSets?|sts)/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
)

// Schema is the JSON schema (draft 2020-12) of a Release document, made from
// the Go types: fields, types, words and bounds. What a schema can't say, such
// as selectors that must not overlap, is said by Parse alone.
func Schema() ([]byte, error) {
	comments, err := fieldComments(documentSource)
	if err != nil {
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	reflector := jsonschema.Reflector{
		Anonymous: true,
		Mapper:    textTypes,
		LookupComment: func(of reflect.Type, field string) string {
			return comments[strings.TrimSuffix(of.Name()+"."+field, ".")]
		},
	}
	schema := reflector.Reflect(&Release{})
	schema.ID = jsonschema.ID("https://" + APIVersion + "/release.schema.json")
	schema.Title = "A Release of kubectl bluegreen"
	release := schema.Definitions["Release"]
	constant(release, "apiVersion", APIVersion)
	constant(release, "kind", Kind)
	if colors, found := schema.Definitions["Spec"].Properties.Get("colors"); found {
		two := uint64(2)
		colors.MinProperties, colors.MaxProperties = &two, &two
	}
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, fmt.Errorf("make the schema: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// textTypes are the types that a document holds as text.
func textTypes(of reflect.Type) *jsonschema.Schema {
	switch of {
	case reflect.TypeFor[Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: durationPattern, Examples: []any{"90s", "3m", "1h30m"}}
	case reflect.TypeFor[Date]():
		return &jsonschema.Schema{Type: "string", Pattern: datePattern, Examples: []any{"2027-01-31"}}
	case reflect.TypeFor[Workload]():
		return &jsonschema.Schema{Type: "string", Pattern: workloadPattern, Examples: []any{"deployment/shop-blue"}}
	case reflect.TypeFor[Drain]():
		return &jsonschema.Schema{Type: "string", Enum: []any{DrainAuto, DrainWait, DrainRecycle, DrainNone}}
	case reflect.TypeFor[Via]():
		return &jsonschema.Schema{Type: "string", Enum: []any{ViaAuto, ViaDirect, ViaPortForward, ViaExporter, ViaPrometheus}}
	}
	return nil
}

// constant lets a field have one value only.
func constant(of *jsonschema.Schema, field, value string) {
	if property, found := of.Properties.Get(field); found {
		property.Const = value
	}
}

// fieldComments reads the comments of a Go file's types and of their fields,
// by Type and Type.Field.
func fieldComments(source string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "document.go", source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	comments := map[string]string{}
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, specification := range general.Specs {
			kind, ok := specification.(*ast.TypeSpec)
			if !ok {
				continue
			}
			comments[kind.Name.Name] = oneLine(general.Doc)
			structure, ok := kind.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					comments[kind.Name.Name+"."+name.Name] = oneLine(field.Doc)
				}
			}
		}
	}
	return comments, nil
}

func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}
