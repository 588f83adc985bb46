package main

import "testing"

func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"k8s.io/api/core/v1.(*Pod).Size":                   "k8s.io/api/core/v1",
		"main.main":                                        "main",
		"gopkg.in/yaml%2ev3.Unmarshal":                     "gopkg.in/yaml.v3",
		"slices.SortFunc[go.shape.[]k8s.io/api/v1.A,go.x]": "slices",
		"runtime.text":                                     "runtime",
		"go:itab.*os.File,io.Reader":                       "go:itab",
		"_cgo":                                             "",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("packageOf(%q) = %q, want %q", symbol, got, want)
		}
	}
}

// What takes no room in the file counts for nobody, and what is of no package for
// the runtime.
func TestCount(t *testing.T) {
	counted := size{modules: map[string]int64{}}
	for _, line := range []string{"  401000      10 T k8s.io/api/core/v1.(*Pod).Size", "  402000  5 D type:x", " 403000 100 B main.buffer", "U puts"} {
		counted.count(line, map[string]string{"k8s.io/api/core/v1": "k8s.io/api"})
	}
	if counted.total != 15 || counted.modules["k8s.io/api"] != 10 {
		t.Errorf("counted %+v", counted)
	}
}
