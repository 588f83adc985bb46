package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// checkout is the root of the repository.
var checkout = filepath.Join("..", "..")

// host is this machine's target.
const host = runtime.GOOS + "_" + runtime.GOARCH

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sums are the files below a folder, by their names, and what they hold.
func sums(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	check(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		found[name], err = sumOfFile(path)
		return err
	}))
	return found
}

// The archive of this machine, built twice from two clones, is the same byte for
// byte, and so is all beside it; what is in it knows its version and its image, and
// the pins are of what is in it.
func TestSameBytesTwice(t *testing.T) {
	goreleaser := os.Getenv("BLUEGREEN_GORELEASER")
	if goreleaser == "" {
		t.Skip("BLUEGREEN_GORELEASER names no GoReleaser; make live builds one and sets it")
	}
	var built []map[string]string
	var out string
	for range 2 {
		out = t.TempDir()
		check(t, build(t.Context(), options{Checkout: checkout, GoReleaser: goreleaser, Version: "v1.2.3", Out: out, Only: host, Told: t.Output()}))
		built = append(built, sums(t, out))
	}
	if diff := cmp.Diff(built[0], built[1]); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
	name := "kubectl-bluegreen_" + host + ".tar.gz"
	made, err := readPins(filepath.Join(out, "archives.json"))
	check(t, err)
	if made.Archives[host].SHA256 != built[0][name] {
		t.Errorf("the archive is %s, its pin %s", built[0][name], made.Archives[host].SHA256)
	}
	sumsFile, err := os.ReadFile(filepath.Join(out, "checksums.txt"))
	check(t, err)
	for _, published := range []string{name, name + ".cdx.json"} {
		if !strings.Contains(string(sumsFile), built[0][published]+"  "+published) {
			t.Errorf("%s is not in the checksums:\n%s", published, sumsFile)
		}
	}
	unpacked := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		output, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, output)
		}
		return string(output)
	}
	run("tar", "-xzf", filepath.Join(out, name), "-C", unpacked)
	files := sums(t, unpacked)
	if diff := cmp.Diff([]string{"LICENSE", "bluegreen-action", "kubectl-bluegreen"}, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("what is in the archive (-want +got):\n%s", diff)
	}
	if files["bluegreen-action"] != made.Archives[host].Engine {
		t.Errorf("the engine is %s, its pin %s", files["bluegreen-action"], made.Archives[host].Engine)
	}
	version := run(filepath.Join(unpacked, "kubectl-bluegreen"), "version", "-o", "json")
	var told struct {
		Version, Commit string
		Modified        bool
	}
	check(t, json.Unmarshal([]byte(version), &told))
	if told.Version != "v1.2.3" || told.Commit != made.Commit || told.Modified {
		t.Errorf("the program says %s", version)
	}
	program, err := os.ReadFile(filepath.Join(unpacked, "kubectl-bluegreen"))
	check(t, err)
	if !bytes.Contains(program, []byte(made.Image)) {
		t.Errorf("the program does not know the image %s", made.Image)
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
