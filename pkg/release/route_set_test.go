package release

import (
	"reflect"
	"testing"
)

// Every kind of route but workers may stand in a set: a further route has the same
// fields, and each is that route's alone in the copy that declares it.
func TestEveryRouteMayStandInASet(t *testing.T) {
	further := reflect.TypeFor[AlsoRoute]()
	for at := range further.NumField() {
		field := further.Field(at)
		also := AlsoRoute{}
		one := reflect.New(field.Type.Elem())
		reflect.ValueOf(&also).Elem().Field(at).Set(one)
		set := Traffic{Service: &ServiceRoute{Name: "first"}, Also: []AlsoRoute{also}}.Set()
		copied := reflect.ValueOf(set[1]).FieldByName(field.Name)
		if !copied.IsValid() || copied.Pointer() != one.Pointer() || len(set[1].Routes()) != 1 {
			t.Errorf("a further %s is copied as %+v", field.Name, set[1].Routes())
		}
	}
	// One of each kind declared first, beside a further route that is another's.
	first := reflect.TypeFor[Traffic]()
	for at := range first.NumField() {
		field := first.Field(at)
		declared := Traffic{}
		if field.Type.Kind() != reflect.Pointer {
			continue
		}
		reflect.ValueOf(&declared).Elem().Field(at).Set(reflect.New(field.Type.Elem()))
		if len(declared.Routes()) == 0 {
			continue // no route
		}
		if _, has := further.FieldByName(field.Name); !has && field.Name != "Workers" {
			t.Errorf("spec.traffic.also can't hold a %s", field.Name)
		}
		declared.Also = []AlsoRoute{{Service: &ServiceRoute{Name: "further"}}}
		if routes := declared.Set()[1].Routes(); len(routes) != 1 || routes[0].Name != "further" {
			t.Errorf("beside a %s a further route is copied as %+v", field.Name, routes)
		}
	}
}
