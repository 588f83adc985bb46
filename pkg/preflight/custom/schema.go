package custom

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// schema knows the Go types of the variables as types of CEL, by the names that
// their fields have in JSON, so that a field that there is not is found before
// anything is evaluated.
type schema struct {
	types.Provider
	structures map[string]*structure
	// missed are the structures in which a field was looked for in vain, by its name:
	// CEL's own message doesn't say where.
	missed map[string]*structure
}

// structure is a Go struct as a type of CEL.
type structure struct {
	goType reflect.Type
	name   string
	fields map[string]field
}

// field is one field of a structure.
type field struct {
	index []int
	// optional: it is absent where it is empty.
	optional bool
	// fact: it is a preflight.Fact, whose value it is where that is known.
	fact bool
	// of is the type of its value.
	of reflect.Type
}

// newSchema makes the types of the variables. The provider knows those of CEL.
func newSchema(provider types.Provider) *schema {
	made := &schema{Provider: provider, structures: map[string]*structure{}, missed: map[string]*structure{}}
	made.typeOf(reflect.TypeFor[Variables]())
	return made
}

// typeOf is the type of CEL for values of a Go type.
func (s *schema) typeOf(of reflect.Type) *cel.Type {
	switch of {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		return cel.TimestampType
	case reflect.TypeFor[time.Duration](), reflect.TypeFor[metav1.Duration](), reflect.TypeFor[release.Duration]():
		return cel.DurationType
	case reflect.TypeFor[resource.Quantity](), reflect.TypeFor[release.Workload]():
		return cel.StringType
	case reflect.TypeFor[intstr.IntOrString]():
		return cel.DynType
	}
	switch of.Kind() {
	case reflect.Pointer:
		return s.typeOf(of.Elem())
	case reflect.String:
		return cel.StringType
	case reflect.Bool:
		return cel.BoolType
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return cel.IntType
	case reflect.Float32, reflect.Float64:
		return cel.DoubleType
	case reflect.Slice:
		return cel.ListType(s.typeOf(of.Elem()))
	case reflect.Map:
		return cel.MapType(cel.StringType, s.typeOf(of.Elem()))
	case reflect.Struct:
		return cel.ObjectType(s.structureOf(of).name)
	}
	return cel.DynType
}

// structureOf is the structure of a Go struct, made once, with the schema.
func (s *schema) structureOf(of reflect.Type) *structure {
	name := strings.ReplaceAll(path.Base(of.PkgPath()), "-", "_") + "." + of.Name()
	if known, found := s.structures[name]; found && known.goType == of {
		return known
	} else if found { // another of the same name, in another version of an API
		name = fmt.Sprintf("%s%d", name, len(s.structures))
	}
	made := &structure{goType: of, name: name, fields: map[string]field{}}
	s.structures[name] = made
	s.addFields(made, of, nil)
	return made
}

// addFields adds those of a struct, and of those that are embedded in it.
func (s *schema) addFields(into *structure, of reflect.Type, around []int) {
	for i := range of.NumField() {
		declared := of.Field(i)
		name, options, _ := strings.Cut(declared.Tag.Get("json"), ",")
		index := append(slices.Clone(around), i)
		switch {
		case name == "-" || !declared.IsExported():
			continue
		case name == "" && declared.Anonymous:
			s.addFields(into, declared.Type, index)
			continue
		case name == "":
			name = declared.Name
		}
		added := field{index: index, of: declared.Type, optional: strings.Contains(options, "omit")}
		if value, isFact := factOf(declared.Type); isFact {
			added.fact, added.of = true, value
		}
		into.fields[name] = added
		s.typeOf(added.of)
	}
}

// factOf is the type of a fact's value.
func factOf(of reflect.Type) (value reflect.Type, isFact bool) {
	if of.Kind() != reflect.Struct || !strings.HasPrefix(of.Name(), "Fact[") {
		return nil, false
	}
	inner, _ := of.FieldByName("Value")
	return inner.Type, true
}

// FindStructType finds a type by its name.
func (s *schema) FindStructType(name string) (*types.Type, bool) {
	if _, found := s.structures[name]; found {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return s.Provider.FindStructType(name)
}

// FindStructFieldNames are the fields of a type.
func (s *schema) FindStructFieldNames(name string) ([]string, bool) {
	if known, found := s.structures[name]; found {
		return known.fieldNames(), true
	}
	return s.Provider.FindStructFieldNames(name)
}

// FindStructFieldType is the type of a field.
func (s *schema) FindStructFieldType(name, of string) (*types.FieldType, bool) {
	if known, found := s.structures[name]; found {
		field, found := known.fields[of]
		if !found {
			s.missed[of] = known
			return nil, false
		}
		return &types.FieldType{Type: s.typeOf(field.of)}, true
	}
	return s.Provider.FindStructFieldType(name, of)
}

// NewValue refuses to make an object: a check only looks.
func (s *schema) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, found := s.structures[name]; found {
		return types.NewErr("no object of type %s can be made", name)
	}
	return s.Provider.NewValue(name, fields)
}

// fieldNames are sorted.
func (s *structure) fieldNames() []string {
	var names []string
	for name := range s.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
