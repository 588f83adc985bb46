package custom

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// unreadError is what reading a fact ends as that is not known.
type unreadError struct {
	path string
	preflight.Unread
}

func (e *unreadError) Error() string { return e.path + " is not known: " + e.Problem }

// object is a Go struct as a value of CEL. Its fields are made when they are
// read.
type object struct {
	schema *schema
	of     *structure
	value  reflect.Value
	// path is how the object is reached, for messages.
	path string

	// made are the fields that were read: a loop reads the same ones each time.
	mu   sync.Mutex
	made map[string]ref.Val
}

// Get reads a field.
func (o *object) Get(index ref.Val) ref.Val {
	value, _, err := o.read(index)
	if err != nil {
		return types.WrapErr(err)
	}
	return value
}

// IsSet reports whether a field is there. Of a fact that is not known it can't
// be said.
func (o *object) IsSet(index ref.Val) ref.Val {
	_, there, err := o.read(index)
	if unread, isUnread := err.(*unreadError); isUnread { //nolint:errorlint // it is made here, never wrapped
		return types.WrapErr(unread)
	}
	return types.Bool(there)
}

func (o *object) read(index ref.Val) (value ref.Val, there bool, err error) {
	name, _ := index.Value().(string)
	field, declared := o.of.fields[name]
	if !declared {
		return nil, false, fmt.Errorf("%s has no field %q", o.path, name)
	}
	path := name
	if o.path != "" {
		path = o.path + "." + name
	}
	content, readable := fieldAt(o.value, field.index)
	if readable && field.fact {
		if unread := unreadOf(content); unread != nil {
			return nil, false, &unreadError{path: path, Unread: *unread}
		}
		content = content.FieldByName("Value")
	}
	if !readable || content.Kind() == reflect.Pointer && content.IsNil() || field.optional && empty(content) {
		return nil, false, fmt.Errorf("%s is not there", path)
	}
	return o.keep(name, content, path), true, nil
}

// keep makes the value of a field, once.
func (o *object) keep(name string, content reflect.Value, path string) ref.Val {
	o.mu.Lock()
	defer o.mu.Unlock()
	made, found := o.made[name]
	if !found {
		if o.made == nil {
			o.made = map[string]ref.Val{}
		}
		made = o.schema.value(content, path)
		o.made[name] = made
	}
	return made
}

// unreadOf is why a fact is not known, nil where it is.
func unreadOf(fact reflect.Value) *preflight.Unread {
	read, isFact := fact.Interface().(interface{ Unread() *preflight.Unread })
	if !isFact {
		return &preflight.Unread{Problem: "it is no fact"}
	}
	return read.Unread()
}

// fieldAt is a field; readable is false within an embedded pointer to nothing.
func fieldAt(value reflect.Value, index []int) (field reflect.Value, readable bool) {
	field, err := value.FieldByIndexErr(index)
	return field, err == nil
}

// empty is what encoding/json leaves out, and structs of which nothing is said.
func empty(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return value.Len() == 0
	}
	return value.IsZero()
}

// value is a Go value as one of CEL. Times are read in the place of their types
// (typeOf).
func (s *schema) value(value reflect.Value, path string) ref.Val {
	switch special := value.Interface().(type) {
	case time.Time:
		return types.Timestamp{Time: special}
	case metav1.Time:
		return types.Timestamp{Time: special.Time}
	case metav1.MicroTime:
		return types.Timestamp{Time: special.Time}
	case time.Duration:
		return types.Duration{Duration: special}
	case metav1.Duration:
		return types.Duration{Duration: special.Duration}
	case release.Duration:
		return types.Duration{Duration: time.Duration(special)}
	case resource.Quantity:
		return types.String(special.String())
	case release.Workload:
		return types.String(special.String())
	case intstr.IntOrString:
		if special.Type == intstr.Int {
			return types.Int(special.IntVal)
		}
		return types.String(special.StrVal)
	}
	return s.plainValue(value, path)
}

func (s *schema) plainValue(value reflect.Value, path string) ref.Val {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return types.NullValue
		}
		return s.value(value.Elem(), path)
	case reflect.String:
		return types.String(value.String())
	case reflect.Bool:
		return types.Bool(value.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return types.Int(value.Int())
	case reflect.Float32, reflect.Float64:
		return types.Double(value.Float())
	case reflect.Slice:
		items := make([]ref.Val, value.Len())
		for index := range items {
			items[index] = s.value(value.Index(index), fmt.Sprintf("%s[%d]", path, index))
		}
		return types.NewRefValList(types.DefaultTypeAdapter, items)
	case reflect.Map:
		entries := map[ref.Val]ref.Val{}
		for each := value.MapRange(); each.Next(); {
			entries[types.String(each.Key().String())] = s.value(each.Value(), path+"."+each.Key().String())
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, entries)
	case reflect.Struct:
		return &object{schema: s, of: s.structureOf(value.Type()), value: value, path: path}
	}
	return types.NewErr("%s can't be read", path)
}

// ConvertToNative is for what leaves CEL, which no object does.
func (o *object) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s can't be made a %v", o.path, to)
}

// ConvertToType knows the object's own type.
func (o *object) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return types.NewObjectType(o.of.name)
	}
	return types.NewErr("%s can't be made a %s", o.path, to.TypeName())
}

// Equal compares objects of Kubernetes. Those in which a fact may be unknown have
// to be compared by their fields.
func (o *object) Equal(other ref.Val) ref.Val {
	another, same := other.(*object)
	switch {
	case !same || another.of != o.of:
		return types.False
	case o.of.unsure():
		return types.NewErr("%s can't be compared as a whole: compare its fields", o.path)
	}
	return types.Bool(equality.Semantic.DeepEqual(o.value.Interface(), another.value.Interface()))
}

// unsure reports whether a field of the structure may be not known.
func (s *structure) unsure() bool {
	for _, field := range s.fields {
		if field.fact {
			return true
		}
	}
	return false
}

// Type is the object's type.
func (o *object) Type() ref.Type { return types.NewObjectType(o.of.name) }

// Value is the Go value.
func (o *object) Value() any { return o.value.Interface() }
