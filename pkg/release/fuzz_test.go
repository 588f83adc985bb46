package release

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse throws text at Parse, and at MetadataOf. It never panics; its error is always
// Problems, in order, each with a place inside the document; and what it
// accepts it writes and reads back as the same Release.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("nothing to begin with: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{"", "---\n---\n", "\t", "a: &a [*a]", "{}", "[]", "~", "kind: Release\nspec: [", "? {a: b}\n: c", "!!binary aGk=", "<<: *x",
		"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "spec: &s {colors: *s}", "\xff\xfe", "%YAML 9.9\n---\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		loaded, err := Parse("f", text)
		metadata := MetadataOf(text)
		if err == nil {
			sameAgain(t, loaded)
			if metadata != loaded.Release.Metadata {
				t.Errorf("the metadata are %v, and read alone %v", loaded.Release.Metadata, metadata)
			}
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 || err.Error() == "" {
			t.Fatalf("the error is %v", err)
		}
		lines := strings.Count(string(text), "\n") + 2
		for i, problem := range problems {
			if problem.Message == "" || problem.Line > lines || problem.Column < 0 {
				t.Errorf("a problem without a place: %+v", problem)
			}
			if i > 0 && problem.Line < problems[i-1].Line {
				t.Errorf("%v follows %v", problem, problems[i-1])
			}
		}
	})
}

// sameAgain writes an accepted document and reads it back.
func sameAgain(t *testing.T, loaded *Loaded) {
	written, err := Marshal(loaded.Release, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("f", written)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, written)
	}
	if again.Hash != loaded.Hash {
		t.Errorf("another Release was read back from:\n%s", written)
	}
}

// TestBombsAreBounded: documents that are small as text and large as values.
func TestBombsAreBounded(t *testing.T) {
	small := read(t, "small.yaml")
	wide := "  validation:\n    synthetic:\n      - &p {name: a, http: {path: /, headers: {" + strings.Repeat("a: b, ", 1) + "x: y}}}\n" + strings.Repeat("      - *p\n", 10000)
	for name, text := range map[string]string{
		"too long":                small + strings.Repeat("#\n", maximumSize),
		"aliases by the thousand": small + wide,
		"a list in a list":        strings.Repeat("[", 20000),
		"an alias to itself":      strings.Replace(small, "{version: blue}", "&s {version: *s}", 1),
		"a thousand mistakes":     small + "  gates:\n    rules:\n" + strings.Repeat("      - {id: a, treshold: 1}\n", 1000),
		"a laughing billion":      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nspec: {colors: *c}\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f", []byte(text))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			if len(problems) > mostProblems+1 {
				t.Errorf("%d problems", len(problems))
			}
		})
	}
}
