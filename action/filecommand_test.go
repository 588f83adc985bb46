package action

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// readFileCommands reads a file as the runner does
// (actions/runner:src/Runner.Worker/FileCommandManager.cs).
func readFileCommands(t interface {
	Helper()
	Fatalf(string, ...any)
}, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	found := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for index := 0; index < len(lines); index++ {
		name, delimiter, heredoc := strings.Cut(lines[index], "<<")
		if !heredoc {
			t.Fatalf("line %d is no command: %q", index+1, lines[index])
		}
		var value []string
		for index++; ; index++ {
			if index == len(lines) {
				t.Fatalf("%s is not ended", name)
			}
			if lines[index] == delimiter {
				break
			}
			value = append(value, lines[index])
		}
		found[name] = strings.Join(value, "\n")
	}
	return found
}

// No value ends itself and begins another output, not even one that knows the
// delimiters that are drawn first.
func TestNoValueIsAnotherOutput(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(folder, "output")
		defer os.Remove(path)
		part := rapid.SampledFrom([]string{"first", "second", "\n", "verdict<<first", "x", " ", "verdict=pass"})
		value := strings.Join(rapid.SliceOf(part).Draw(t, "value"), "")
		draws := []string{"first", "second", "third"}
		draw := func() string { next := draws[0]; draws = draws[1:]; return next }
		if err := fileCommand(path, "verdict", value, draw); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"verdict": value}, readFileCommands(t, path)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDelimitersDiffer(t *testing.T) {
	if one, other := delimiter(), delimiter(); one == other || len(one) < 30 {
		t.Errorf("%s and %s", one, other)
	}
}

func TestFileCommandSaysWhatIsMissing(t *testing.T) {
	if err := fileCommand("", "verdict", "pass", delimiter); err == nil || err.Error() != "the runner names no file for it" {
		t.Errorf("without a file: %v", err)
	}
	if err := fileCommand(filepath.Join(t.TempDir(), "none", "output"), "verdict", "pass", delimiter); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
}

func TestWhatIsCutIsClosed(t *testing.T) {
	const said = "The rest is left out, for there is no more room here. All of it is in a folder.\n"
	body := strings.Repeat("a line\n", 100)
	for name, test := range map[string]struct{ text, closes string }{
		"a text":           {"head\n" + body, ""},
		"what is folded":   {"<details><summary>x</summary>\n" + body + "</details>\n", "\n</details>\n"},
		"code":             {"```mermaid\n" + body + "```\n", "```\n"},
		"code in it":       {"````console\n```\n" + body + "````\n", "````\n"},
		"closed before it": {"```\nx\n```\n<details>\n</details>\n" + body, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := within(test.text, 400, "a folder")
			if len(got) > 400 || !strings.HasSuffix(got, "a line\n"+test.closes+"\n\n"+said) {
				t.Errorf("%d bytes: %q", len(got), got)
			}
			if whole := within(test.text, len(test.text), "a folder"); whole != test.text {
				t.Error("what there is room for is cut")
			}
			if none := within(test.text, 50, "a folder"); none != "" {
				t.Errorf("with no room there is %q", none)
			}
		})
	}
}
