package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLibraries(t *testing.T) {
	output := `	linux-vdso.so.1 (0x00007ffd8a5f2000)
	libpq.so.5 => /lib/x86_64-linux-gnu/libpq.so.5 (0x00007f3a5c000000)
	libgone.so => not found
	/lib64/ld-linux-x86-64.so.2 (0x00007f3a5c400000)
`
	want := []string{"/lib/x86_64-linux-gnu/libpq.so.5", "/lib64/ld-linux-x86-64.so.2"}
	if diff := cmp.Diff(want, parseLibraries(output)); diff != "" {
		t.Errorf("libraries (-want +got):\n%s", diff)
	}
}

func TestLayerHoldsEachFolderBeforeItsFiles(t *testing.T) {
	source := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(source, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	layer, err := Contents{
		Files: map[string]string{"/usr/bin/server": source},
		Text:  map[string]string{"/usr/lib/a": "text"},
	}.layer()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"tmp/", "usr/", "usr/bin/", "usr/bin/server", "usr/lib/", "usr/lib/a"}
	if diff := cmp.Diff(want, names(t, layer)); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func TestBuildRefusesAFileThatIsNotThere(t *testing.T) {
	if _, err := Build(Binary(filepath.Join(t.TempDir(), "none"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}

func TestWriteTagsTheArchive(t *testing.T) {
	built, err := Build(Contents{Text: map[string]string{"/a": "text"}, Entrypoint: []string{"/a"}})
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := Write("bluegreen.dev/test:lab", built, &archive); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(archive.Bytes(), []byte("bluegreen.dev/test:lab")) {
		t.Error("the archive doesn't name its reference")
	}
	if err := Write("not a reference", built, io.Discard); err == nil {
		t.Error("a bad reference was taken")
	}
}

func TestNewestPostgreSQL(t *testing.T) {
	root := t.TempDir()
	if _, err := newestPostgreSQL(root); err == nil {
		t.Error("found one where there is none")
	}
	for _, version := range []string{"9.6", "13", "15", "lib"} {
		if err := os.Mkdir(filepath.Join(root, version), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got, err := newestPostgreSQL(root)
	if err != nil || filepath.Base(got) != "15" {
		t.Errorf("got %s, %v, want 15", got, err)
	}
}

// names lists a tar archive.
func names(t *testing.T, archive []byte) []string {
	t.Helper()
	var all []string
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, header.Name)
	}
}
