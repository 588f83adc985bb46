package plugin

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStopArguments(t *testing.T) {
	tests := map[string]struct {
		args []string
		want [2]string
	}{
		"words need no quotes": {[]string{"orders", "are", "doubled"}, [2]string{"", "orders are doubled"}},
		"of a Service":         {[]string{"svc/shop", "doubled"}, [2]string{"shop", "doubled"}},
		"a Service, no reason": {[]string{"svc/shop"}, [2]string{"shop", ""}},
		"blank":                {[]string{" "}, [2]string{"", ""}},
		"none":                 {nil, [2]string{"", ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service, reason := stopArguments(test.args)
			if diff := cmp.Diff(test.want, [2]string{service, reason}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServiceArgument(t *testing.T) {
	for text, want := range map[string]string{"svc/shop": "shop", "service/shop": "shop", "services/shop": "shop"} {
		if got, err := serviceArgument(text); err != nil || got != want {
			t.Errorf("serviceArgument(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"shop", "svc/", "/shop", "deployment/shop", "svc/a/b", ""} {
		if got, err := serviceArgument(text); err == nil {
			t.Errorf("serviceArgument(%q) = %q, expected an error", text, got)
		}
	}
}
