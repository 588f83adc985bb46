package release

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSet reads several routes of one release, in the order in which they are
// moved.
func TestSet(t *testing.T) {
	text := strings.Replace(read(t, "full.yaml"), "    steps: [", "    also:\n    - httpRoute: {name: shop}\n    - service: {name: svc-internal}\n    steps: [", 1)
	loaded, err := Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, compiled(t), text); err != nil {
		t.Errorf("the schema: %v", err)
	}
	traffic := loaded.Release.Spec.Traffic
	var got []DeclaredRoute
	for _, one := range traffic.Set() {
		if len(one.Also) > 0 || one.Watch != traffic.Watch || len(one.Routes()) != 1 {
			t.Errorf("one of the set is %+v", one)
		}
		got = append(got, one.Routes()...)
	}
	want := []DeclaredRoute{{Field: "service", Name: "svc-production"}, {Field: "httpRoute", Name: "shop", Weighted: true}, {Field: "service", Name: "svc-internal"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"svc-production", "svc-internal"}, traffic.Services()); diff != "" {
		t.Error(diff)
	}
	if traffic.Weighted() || !traffic.NamesServices() {
		t.Errorf("weighted %v, names Services %v", traffic.Weighted(), traffic.NamesServices())
	}
}

// Every kind of route can be a further one too: it has a field of the same key
// and type, and is what the set has alone.
func TestEveryKindCanBeAFurtherRoute(t *testing.T) {
	further := reflect.TypeFor[AlsoRoute]()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Traffic]()) {
		if field.Type.Kind() != reflect.Pointer || field.Name == "Workers" { // which are switched alone
			continue
		}
		same, found := further.FieldByName(field.Name)
		if !found || same.Type != field.Type || same.Tag != field.Tag {
			t.Errorf("%s is no kind of further route", field.Name)
			continue
		}
		var also AlsoRoute
		reflect.ValueOf(&also).Elem().FieldByIndex(same.Index).Set(reflect.New(field.Type.Elem()))
		alone := also.alone(Traffic{Service: &ServiceRoute{Name: "another"}})
		if reflect.ValueOf(alone).FieldByIndex(field.Index).IsNil() || len(alone.Routes()) != 1 {
			t.Errorf("of %s the set has %+v", field.Name, alone.Routes())
		}
	}
}
