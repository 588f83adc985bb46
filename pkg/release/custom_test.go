package release

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAPlaceInATextIsThatInTheFile: however an expression is written in YAML, the
// place of a rune of it is where that stands in the file.
func TestAPlaceInATextIsThatInTheFile(t *testing.T) {
	const head = "apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSet\nchecks:\n- id: SHOP-01\n  title: t\n  expression: "
	for name, test := range map[string]struct{ written, at string }{
		"plain":            {"a == b && MARK > 1\n", "6:25"},
		"plain, folded":    {"a == b &&\n    MARK > 1\n", "7:5"},
		"single quotes":    {"'a == ''b'' && MARK'\n", "6:30"},
		"double quotes":    {"\"a == \\\"b\\\" && MARK\"\n", "6:30"},
		"a newline":        {"\"a\\nMARK\"\n", "6:19"},
		"a code point":     {"\"\\u00e9 + MARK\"\n", "6:25"},
		"literal":          {"|\n    a == b &&\n    MARK > 1\n", "8:5"},
		"literal, indents": {"|2-\n\n     a &&\n       MARK\n", "9:8"},
		"folded":           {">-  # why\n    a == b\n    && MARK > 1\n", "8:8"},
		"folded, é":        {">\n    'é' == b\n    && MARK\n", "8:8"},
	} {
		t.Run(name, func(t *testing.T) {
			checks, err := ParseChecks("set.yaml", []byte(head+test.written))
			if err != nil {
				t.Fatal(err)
			}
			text := checks[0].Expression
			before, _, _ := strings.Cut(text, "MARK")
			offset := len([]rune(before))
			if got := checks[0].Problem("expression", offset, "m", "").Error(); got != "set.yaml:"+test.at+": checks[0].expression: m" {
				t.Errorf("%q: %s, want %s", text, got, test.at)
			}
		})
	}
}

func TestMistakesInChecksOfOnesOwn(t *testing.T) {
	const head = "apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSet\nchecks:\n"
	const one = "- {id: SHOP-01, title: t, expression: 'true'}\n"
	for name, test := range map[string]struct{ text, want, hint string }{
		"another kind":         {"apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSett\nchecks: []\n", `s.yaml:2:7: kind: "CheckSett" is not read here`, "write kind: CheckSet"},
		"an unknown field":     {head + "- {id: SHOP-01, title: t, expresion: 'true'}\n", "s.yaml:4:27: checks[0].expresion: unknown field", `did you mean "expression"?`},
		"no expression":        {head + "- {id: SHOP-01, title: t}\n", "s.yaml:4:3: checks[0].expression: is required", ""},
		"an id of ours":        {head + "- {id: BG-DB-99, title: t, expression: 'true'}\n", `s.yaml:4:8: checks[0].id: "BG-DB-99" is of the program's own`, "take a prefix of your own, such as SHOP-01"},
		"no id":                {head + "- {id: shop, title: t, expression: 'true'}\n", `s.yaml:4:8: checks[0].id: "shop" is no id: capitals and digits, in parts with a hyphen between them`, "such as SHOP-01"},
		"an id twice":          {head + one + one, `s.yaml:5:8: checks[1].id: "SHOP-01" is there twice`, "give each check an id of its own"},
		"an unknown severity":  {head + "- {id: SHOP-01, title: t, expression: 'true', severity: blok}\n", `s.yaml:4:57: checks[0].severity: "blok" is not known`, `did you mean "block"?`},
		"an unknown stage":     {head + "- {id: SHOP-01, title: t, expression: 'true', stages: [pr, deplo]}\n", `s.yaml:4:60: checks[0].stages[1]: "deplo" is not known`, `did you mean "deploy"?`},
		"two messages":         {head + "- {id: SHOP-01, title: t, expression: 'true', message: m, messageExpression: m}\n", "s.yaml:4:78: checks[0].messageExpression: doesn't go with message", "keep one of them"},
		"docs that are no URL": {head + "- {id: SHOP-01, title: t, expression: 'true', docs: 'javascript:1'}\n", `s.yaml:4:53: checks[0].docs: "javascript:1" is no URL`, "such as https://wiki.example.com/releases"},
		"a number":             {head + "- {id: SHOP-01, title: t, expression: 1}\n", "s.yaml:4:39: checks[0].expression: expected text, found a whole number", "put the value in quotes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseChecks("s.yaml", []byte(test.text))
			if err == nil {
				t.Fatal("it is accepted")
			}
			if diff := cmp.Diff([]string{test.want, test.hint}, []string{err.Error(), HintOf(err)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilesOfChecksLieBesideTheDocument(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const set = "apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSet\nchecks:\n- {id: SHOP-ID, title: t, expression: 'true'}\n"
	write("b.yaml", strings.ReplaceAll(set, "-ID", "-03"))
	write("a.yaml", strings.ReplaceAll(set, "-ID", "-02"))
	load := func(checks string) *Loaded {
		t.Helper()
		loaded, err := Parse(filepath.Join(home, "bluegreen.yaml"), []byte(read(t, "small.yaml")+"  checks:\n    custom:\n    - {id: SHOP-01, title: t, expression: 'true'}\n    files: "+checks+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		return loaded
	}

	found, err := load("['?.yaml']").DeclaredChecks()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, check := range found {
		got = append(got, check.ID+" "+filepath.Base(check.Position.File))
	}
	if diff := cmp.Diff([]string{"SHOP-01 bluegreen.yaml", "SHOP-02 a.yaml", "SHOP-03 b.yaml"}, got); diff != "" {
		t.Error(diff)
	}

	write("c.yaml", strings.ReplaceAll(set, "-ID", "-01"))
	_, err = load("[c.yaml, none-*.yaml]").DeclaredChecks()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("got %v", err)
	}
	for index, want := range []string{`none-*.yaml" `, `checks[0].id: "SHOP-01" is there already, at `} {
		if !strings.Contains(problems[index].Error()+" ", want) {
			t.Errorf("%v, want %s", problems[index], want)
		}
	}
}

// TestFilesOfChecksStayInTheFolder: neither the words of a path nor a link lead to
// files that whoever wrote the document has no business with.
func TestFilesOfChecksStayInTheFolder(t *testing.T) {
	outer := t.TempDir()
	home := filepath.Join(outer, "shop")
	const set = "apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSet\nchecks:\n- {id: SHOP-01, title: t, expression: 'true'}\n"
	for _, folder := range []string{home, filepath.Join(home, "checks"), filepath.Join(outer, "other")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "set.yaml"), []byte(set), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"away.yaml": filepath.Join(outer, "other", "set.yaml"), "up.yaml": "../other/set.yaml", "folder": "../other",
		"near.yaml": "checks/set.yaml", "back.yaml": filepath.Join(home, "set.yaml"),
	} {
		if err := os.Symlink(to, filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
	const words, link = "leads out of the folder of the document", "leads out of " // and then that folder
	for pattern, refused := range map[string]string{
		"../other/set.yaml": words, "checks/../../other/set.yaml": words, filepath.Join(outer, "other", "set.yaml"): words, "*/../../other/*.yaml": words,
		"away.yaml": link, "up.yaml": link, "folder/set.yaml": link, "folder/*.yaml": link, "*/set.yaml": link,
		"set.yaml": "", "checks/*.yaml": "", "near.yaml": "", "back.yaml": "", "./set.yaml": "",
	} {
		t.Run(pattern, func(t *testing.T) {
			path := filepath.Join(home, "bluegreen.yaml")
			loaded, err := Parse(path, []byte(read(t, "small.yaml")+"  checks:\n    files: ['"+pattern+"']\n"))
			if err == nil {
				_, err = loaded.DeclaredChecks()
			}
			if refused == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var problems Problems
			if !errors.As(err, &problems) || len(problems) != 1 {
				t.Fatalf("got %v", err)
			}
			got := problems[0]
			if got.File != path || got.Line < 2 || got.Field != "spec.checks.files[0]" || !strings.Contains(got.Message, refused) || got.Remedy == "" {
				t.Errorf("%v, hint %q", got, got.Remedy)
			}
		})
	}
}

// FuzzParseChecks throws text at ParseChecks: it never panics, its error is always
// Problems, and every place in an expression that it accepts is in the file.
func FuzzParseChecks(f *testing.F) {
	const head = "apiVersion: bluegreen.dev/v1alpha1\nkind: CheckSet\nchecks:\n- id: A-1\n  title: t\n  expression: "
	for _, text := range []string{head + "true", head + "|\n    a\n    b\n", head + ">-\n\n    a\n", head + "\"\\x41\\\n   b\"", head + "'it''s'", "kind: CheckSet", "checks: &c [*c]", ""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		checks, err := ParseChecks("f", text)
		var problems Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Fatalf("the error is %v", err)
		}
		lines := strings.Count(string(text), "\n") + 1
		for _, check := range checks {
			for offset := range len([]rune(check.Expression)) + 1 {
				if at := check.Problem("expression", offset, "", ""); at.Line < 1 || at.Line > lines+1 || at.Column < 1 {
					t.Fatalf("rune %d of %q is at %d:%d", offset, check.Expression, at.Line, at.Column)
				}
			}
		}
	})
}
