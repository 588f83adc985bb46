package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pack writes an archive of either kind with these files.
func pack(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	file, err := os.Create(path)
	check(t, err)
	defer file.Close()
	if strings.HasSuffix(path, ".zip") {
		archive := zip.NewWriter(file)
		for name, content := range files {
			entry, err := archive.Create(name)
			check(t, err)
			_, err = entry.Write(content)
			check(t, err)
		}
		check(t, archive.Close())
		return
	}
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	for name, content := range files {
		check(t, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}))
		_, err = archive.Write(content)
		check(t, err)
	}
	check(t, archive.Close())
	check(t, zipped.Close())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The bill of either kind of archive lists what its program is linked with, with
// the versions, and is the same each time.
func TestBillListsWhatIsLinked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "linked")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./testdata/linked").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program, err := os.ReadFile(path)
	check(t, err)
	for _, name := range []string{"x.tar.gz", "x.zip"} {
		folder := t.TempDir()
		archive := filepath.Join(folder, name)
		pack(t, archive, map[string][]byte{"one.exe": program, "LICENSE": []byte("text")})
		texts := []string{}
		for _, out := range []string{"first", "second"} {
			check(t, run([]string{"--out", filepath.Join(folder, out), archive}))
			text, err := os.ReadFile(filepath.Join(folder, out))
			check(t, err)
			texts = append(texts, string(text))
		}
		if texts[0] != texts[1] {
			t.Errorf("%s has two bills", name)
		}
		var found bill
		check(t, json.Unmarshal([]byte(texts[0]), &found))
		var got []string
		for _, component := range found.Components {
			got = append(got, component.Name)
		}
		want := []string{"one", "github.com/google/go-cmp", "stdlib"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !strings.Contains(texts[0], `"pkg:golang/stdlib@`+runtime.Version()+`"`) || !strings.Contains(texts[0], `"pkg:golang/github.com/google/go-cmp@v`) {
			t.Errorf("%s: no versions in\n%s", name, texts[0])
		}
	}
}

// An archive without a program has no bill: an empty one would say that nothing is
// linked.
func TestNoProgramNoBill(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "x.tar.gz")
	pack(t, archive, map[string][]byte{"LICENSE": []byte("text")})
	out := archive + ".cdx.json"
	if err := run([]string{"--out", out, archive}); err == nil || !strings.Contains(err.Error(), "it holds no Go program") {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a bill was written")
	}
}
