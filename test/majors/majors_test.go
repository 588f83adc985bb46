package majors

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archive writes one of files into a cache and returns its build.
func archive(t *testing.T, cache string, files map[string]string) Build {
	t.Helper()
	build := Build{Major: 99, Version: "99.0.0"}
	path := filepath.Join(cache, build.file())
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(file)
	packed := tar.NewWriter(zipped)
	for name, text := range files {
		if err := packed.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(packed, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, closing := range []io.Closer{packed, zipped, file} {
		if err := closing.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(text)
	build.sum = base64.StdEncoding.EncodeToString(sum[:])
	return build
}

func TestUnpack(t *testing.T) {
	cache, folder := t.TempDir(), t.TempDir()
	build := archive(t, cache, map[string]string{
		"package/native/bin/postgres":     "program",
		"package/native/lib/lib.so.1.2":   "library",
		"package/native/pg-symlinks.json": `[{"source":"native/lib/lib.so.1.2","target":"native/lib/lib.so"}]`,
		"package/index.js":                "none of it",
	})
	programs, err := Unpack(cache, build, folder)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(programs, "postgres")); err != nil || string(text) != "program" {
		t.Errorf("postgres = %q, %v", text, err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "lib", "lib.so")); err != nil || string(text) != "library" {
		t.Errorf("lib.so = %q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "index.js")); err == nil {
		t.Error("what is no part of the server was unpacked")
	}
}

// Nothing is unpacked that is not what was pinned, and nothing leads out of the
// folder.
func TestUnpackRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		sum   string
		says  string
	}{
		"another archive":   {map[string]string{"package/native/bin/postgres": ""}, "other", "expected other"},
		"a file outside":    {map[string]string{"package/native/../../postgres": ""}, "", "outside of it"},
		"a link to outside": {map[string]string{"package/native/pg-symlinks.json": `[{"source":"native/../../x","target":"native/x"}]`}, "", "outside of the package"},
	} {
		cache, folder := t.TempDir(), t.TempDir()
		build := archive(t, cache, test.files)
		if test.sum != "" {
			build.sum = test.sum
		}
		if _, err := Unpack(cache, build, folder); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: err = %v, want %q", name, err, test.says)
		}
	}
}

// Every major of PostgreSQL that the product knows has one build.
func TestBuilds(t *testing.T) {
	for i, build := range Builds() {
		if build.Major != 12+i || !strings.HasPrefix(build.Version, "1") || len(build.sum) != base64.StdEncoding.EncodedLen(sha512.Size) {
			t.Errorf("build %d is %+v", i, build)
		}
	}
	if last := Builds()[len(Builds())-1].Major; last != 18 {
		t.Errorf("the last is %d, want 18", last)
	}
}
