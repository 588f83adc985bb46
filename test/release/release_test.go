package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// checkout is the root of the repository.
var checkout = filepath.Join("..", "..")

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// repository is one with a commit, to which changes can be committed.
func repository(t *testing.T, files map[string]string) (folder string, commit func(map[string]string) string) {
	t.Helper()
	folder = t.TempDir()
	call := func(args ...string) string {
		t.Helper()
		out, err := git(context.Background(), folder, append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		check(t, err)
		return out
	}
	commit = func(files map[string]string) string {
		t.Helper()
		for name, text := range files {
			check(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
			check(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
		}
		call("add", "-A")
		call("commit", "--quiet", "-m", "change")
		return call("rev-parse", "HEAD")
	}
	call("init", "--quiet")
	commit(files)
	return folder, commit
}

// A tag is built only where its pins are of the commit before, and of this version,
// and where nothing but the pins came after it.
func TestPinsMustBeOfTheTag(t *testing.T) {
	for name, test := range map[string]struct {
		pinned string
		also   map[string]string
		want   string
	}{
		"fits":            {"v1.2.3", nil, ""},
		"another version": {"v1.2.2", nil, `they are of "v1.2.2", not of "v1.2.3"`},
		"changed since":   {"v1.2.3", map[string]string{"main.go": "package other"}, "differs from the pinned one in action/archives.json, main.go"},
		"never pinned":    {"", nil, `they are of "", not of "v1.2.3"`},
	} {
		t.Run(name, func(t *testing.T) {
			folder, commit := repository(t, map[string]string{"main.go": "package main", pinsFile: "{}\n"})
			source, err := git(t.Context(), folder, "rev-parse", "HEAD")
			check(t, err)
			before := pins{Version: test.pinned, Commit: source}
			check(t, before.write(filepath.Join(folder, filepath.FromSlash(pinsFile))))
			commit(test.also)
			err = pinned(t.Context(), options{Checkout: folder, Version: "v1.2.3", Verify: pinsFile}, before)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// Every difference between what is pinned and what was built is told, an archive
// that is missing on either side too.
func TestEveryDifferenceIsTold(t *testing.T) {
	one := pins{Go: "go1.26.8", Image: "x@sha256:1", Archives: map[string]archive{"linux_amd64": {"a", "b"}, "linux_arm64": {"c", "d"}}}
	if err := one.compare(one); err != nil {
		t.Errorf("the same differs: %v", err)
	}
	other := pins{Go: "go1.26.9", Image: "x@sha256:2", Archives: map[string]archive{"linux_amd64": {"a", "e"}, "windows_amd64": {"f", "g"}}}
	want := `what was built is not what is pinned:
  the Go toolchain: pinned go1.26.8, built go1.26.9
  the image: pinned x@sha256:1, built x@sha256:2
  engine linux_amd64: pinned b, built e
  archive linux_arm64: pinned c, built 
  engine linux_arm64: pinned d, built 
  archive windows_amd64: pinned , built f
  engine windows_amd64: pinned , built g`
	err := one.compare(other)
	if err == nil {
		t.Fatal("nothing differs")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("what is told (-want +got):\n%s", diff)
	}
}

// A version that is no tag of a release is refused before anything is built, and so
// is a commit that there is not.
func TestRefusals(t *testing.T) {
	folder, _ := repository(t, map[string]string{"main.go": "package main"})
	for name, test := range map[string]struct {
		wanted options
		want   string
	}{
		"version": {options{Version: "1.2.3"}, `read version "1.2.3"`},
		"pins":    {options{Version: "v1.2.3", Verify: filepath.Join(folder, "none.json")}, "read pins"},
	} {
		t.Run(name, func(t *testing.T) {
			test.wanted.Checkout, test.wanted.Out, test.wanted.Told = folder, filepath.Join(t.TempDir(), "out"), t.Output()
			err := build(t.Context(), test.wanted)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("it ended with %v", err)
			}
			if _, err := os.Stat(test.wanted.Out); err == nil {
				t.Error("the folder was made")
			}
		})
	}
}

// Whatever a tag is called, make and the shell hand it on as it is, and run nothing
// of it; what is no version is then refused.
func TestNameOfATagIsNoCode(t *testing.T) {
	folder := t.TempDir()
	planted := filepath.Join(folder, "planted")
	name := `v1"; touch ` + planted + ` $(touch ` + planted + `) $(shell touch ` + planted + `)`
	show := filepath.Join(folder, "Makefile")
	check(t, os.WriteFile(show, []byte("include Makefile\nshow:\n\t@printf '%s' \"$$VERSION\"\n"), 0o600))
	for _, given := range []struct{ variable, argument string }{{"VERSION=" + name, "--silent"}, {"VERSION=", "VERSION=" + name}} {
		made := func(args ...string) string {
			t.Helper()
			command := exec.CommandContext(t.Context(), "make", append([]string{"--silent", "-f", show, given.argument}, args...)...)
			command.Dir, command.Env = checkout, append(os.Environ(), "MAKEFLAGS=", given.variable)
			out, err := command.Output()
			check(t, err)
			return string(out)
		}
		if diff := cmp.Diff(name, made("show")); diff != "" {
			t.Errorf("a recipe has (-want +got):\n%s", diff)
		}
		for _, target := range []string{"release", "pin", "release-snapshot"} {
			if recipe := made("--dry-run", target); !strings.Contains(recipe, `--version="$VERSION"`) || strings.Contains(recipe, "planted") {
				t.Errorf("the shell is given:\n%s", recipe)
			}
		}
	}
	if _, err := os.Stat(planted); err == nil {
		t.Error("the name was run")
	}
}

// Both programs are built for the six systems that a release promises.
func TestSixTargets(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(checkout, configuration))
	check(t, err)
	var whole struct {
		Builds []struct {
			Main   string   `yaml:"main"`
			GOOS   []string `yaml:"goos"`
			GOARCH []string `yaml:"goarch"`
		} `yaml:"builds"`
	}
	check(t, yaml.Unmarshal(text, &whole))
	got := map[string][]string{}
	for _, build := range whole.Builds {
		for _, system := range build.GOOS {
			for _, architecture := range build.GOARCH {
				got[build.Main] = append(got[build.Main], system+"_"+architecture)
			}
		}
	}
	six := []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64"}
	if diff := cmp.Diff(map[string][]string{"./cmd/kubectl-bluegreen": six, "./cmd/bluegreen-action": six}, got); diff != "" {
		t.Errorf("what is built (-want +got):\n%s", diff)
	}
}
