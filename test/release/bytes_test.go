//go:build archives

package main

import (
	"bytes"
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
)

// All six targets take many minutes, so this is a part of the soak, which sets the
// tag archives.

// host is this machine's target.
const host = runtime.GOOS + "_" + runtime.GOARCH

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

// The archives of all six targets, built twice from two clones, are the same byte for
// byte, and so is all beside them; the second time no module is fetched. What one build
// has compiled the next takes from the cache, so this machine's is built once more with
// an empty one. What is in it knows its version and its image, and the pins are of that.
func TestSameBytesTwice(t *testing.T) {
	goreleaser := os.Getenv("BLUEGREEN_GORELEASER")
	if goreleaser == "" {
		t.Fatal("BLUEGREEN_GORELEASER names no GoReleaser; make soak builds one and sets it")
	}
	var built []map[string]string
	var out string
	for range 2 {
		out = t.TempDir()
		check(t, build(t.Context(), options{Checkout: checkout, GoReleaser: goreleaser, Version: "v1.2.3", Out: out, Told: t.Output()}))
		built = append(built, sums(t, out))
		t.Setenv("GOPROXY", "off")
	}
	if diff := cmp.Diff(built[0], built[1]); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
	name := "kubectl-bluegreen_" + host + ".tar.gz"
	made, err := readPins(filepath.Join(out, "archives.json"))
	check(t, err)
	if diff := cmp.Diff([]string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64", "windows_arm64"}, slices.Sorted(maps.Keys(made.Archives))); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	t.Setenv("GOCACHE", t.TempDir())
	alone := t.TempDir()
	check(t, build(t.Context(), options{Checkout: checkout, GoReleaser: goreleaser, Version: "v1.2.3", Out: alone, Only: host, Image: made.Image, Told: t.Output()}))
	if again := sums(t, alone)[name]; again != built[0][name] {
		t.Errorf("compiled anew the archive is %s, and was %s", again, built[0][name])
	}
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
