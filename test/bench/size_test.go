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

// What is of no package that is known counts for none.
func TestCount(t *testing.T) {
	counted := size{modules: map[string]int64{}}
	owners := map[string]string{"k8s.io/api/core/v1": "k8s.io/api"}
	counted.count("k8s.io/api/core/v1.(*Pod).Size", 10, owners)
	counted.count("type:x", 5, owners)
	if counted.total != 15 || counted.modules["k8s.io/api"] != 10 {
		t.Errorf("counted %+v", counted)
	}
}
