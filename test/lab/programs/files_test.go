package programs

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A set's files come from the version that its go.mod names, as they are, and
// only those that it asks for.
func TestBuildTakesFilesOfAModule(t *testing.T) {
	module, final := kinds(t), filepath.Join(t.TempDir(), "set")
	if err := kindsSet("config/*.yaml").build(t.Context(), module, final, io.Discard); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(final, "route.yaml")); err != nil || string(content) != "kind: Route\n" {
		t.Errorf("the copy is %q, %v", content, err)
	}
	if entries, err := os.ReadDir(final); err != nil || len(entries) != 2 {
		t.Errorf("beside the program and its file there is more: %v, %v", entries, err)
	}
}

// A set without programs is its files.
func TestBuildTakesFilesAlone(t *testing.T) {
	module, final := kinds(t), filepath.Join(t.TempDir(), "set")
	set := kindsSet("config/*.yaml")
	set.Programs = nil
	if err := set.build(t.Context(), module, final, io.Discard); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(final); err != nil || len(entries) != 1 || entries[0].Name() != "route.yaml" {
		t.Errorf("the set is %v, %v", entries, err)
	}
}

// A set without the files that it asks for isn't complete, so it is not kept.
func TestBuildWithoutItsFilesFails(t *testing.T) {
	module := kinds(t)
	for name, test := range map[string]struct {
		files Files
		says  string
	}{
		"moved":   {Files{"example.com/kinds", "crds/*.yaml"}, "crds/*.yaml of module example.com/kinds"},
		"unknown": {Files{"example.com/other", "config/*.yaml"}, "find module example.com/other"},
	} {
		t.Run(name, func(t *testing.T) {
			set, final := kindsSet(""), filepath.Join(t.TempDir(), "set")
			set.Files = []Files{test.files}
			err := set.build(t.Context(), module, final, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("build = %v, want %q", err, test.says)
			}
			if exists(final) {
				t.Error("an incomplete set is kept")
			}
		})
	}
}

// kindsSet is one program, and files of the module that it is built from.
func kindsSet(pattern string) Set {
	return Set{Folder: "kinds", Programs: []Program{{Name: "serve", Package: "."}}, Files: []Files{{"example.com/kinds", pattern}}}
}

// kinds makes a module with a program, and beside it one that it is built from.
func kinds(t *testing.T) (module string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"kinds/go.mod":            "module example.com/kinds\n",
		"kinds/kinds.go":          "package kinds\n",
		"kinds/config/route.yaml": "kind: Route\n",
		"kinds/config/README.md":  "Kinds.\n",
		"set/main.go":             "package main\n\nimport _ \"example.com/kinds\"\n\nfunc main() {}\n",
		"set/go.mod":              "module set\n\nrequire example.com/kinds v1.0.0\n\nreplace example.com/kinds => ../kinds\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "set")
}
