package lab

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What no chosen test needs is not brought up; without a choice all is.
func TestNeeded(t *testing.T) {
	tests := map[Addon][]string{Skipper: {"TestRouteGroup", "TestSkipperIngress"}, Mesh: {"TestVirtualService"}}
	for run, want := range map[string][]Addon{
		"":                                  {Mesh, Skipper},
		"^(TestFaults|TestHealthy)$":        nil,
		"^(TestFaults|TestVirtualService)$": {Mesh},
		"TestSkipper":                       {Skipper},
		"TestVirtualService/good":           {Mesh},
		"TestFaults/TestVirtualService":     nil,
		"TestRouteGroup|TestVirtual":        {Mesh, Skipper},
	} {
		got, err := Needed(run, tests)
		if difference := cmp.Diff(want, got); err != nil || difference != "" {
			t.Errorf("%q: %v, (-want +got):\n%s", run, err, difference)
		}
	}
	if _, err := Needed("Test(", tests); err == nil {
		t.Error("what is no expression chooses something")
	}
}
