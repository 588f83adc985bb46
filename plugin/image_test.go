package plugin

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	registryname "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// staticProgram builds a static Linux program of this module.
func staticProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../pkg/image/testdata/program")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return path
}

// typed runs a command line as main does.
func typed(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	stream, _, written, told := genericiooptions.NewTestIOStreams()
	environment := Environment{LookupEnv: func(string) (string, bool) { return "", false }}
	code = Run(t.Context(), environment, Streams{IOStreams: stream}, args)
	return code, written.String(), told.String()
}

// The archive is the same in a file and on stdout, and holds the image under
// the tag that was asked for.
func TestImageSave(t *testing.T) {
	path, folder := staticProgram(t), t.TempDir()
	file := filepath.Join(folder, "image.tar")
	code, out, told := typed(t, "image", "save", "--binary", path, "--output", file, "--tag", "example.com/tools/bluegreen:v9")
	if code != ExitDone || out != "" || !strings.Contains(told, "saved example.com/tools/bluegreen:v9 for linux/") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, out, told)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v; want the archive alone", left, err)
	}
	tag, err := registryname.NewTag("example.com/tools/bluegreen:v9")
	if err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := read.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	code, out, told = typed(t, "image", "save", "--binary", path, "--tag", "example.com/tools/bluegreen:v9")
	if code != ExitDone {
		t.Fatalf("exit code %d, stderr %q", code, told)
	}
	piped, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewBufferString(out)), nil }, &tag)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := piped.ConfigName(); err != nil || got != digest {
		t.Errorf("on stdout the image is %s, %v; in the file %s", got, err, digest)
	}
}

// What push prints on stdout is the reference by digest and nothing else.
func TestImagePush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	reference := strings.TrimPrefix(server.URL, "http://") + "/tools/bluegreen:v9"
	code, out, told := typed(t, "image", "push", reference, "--binary", staticProgram(t))
	if code != ExitDone || !strings.HasPrefix(out, reference+"@sha256:") || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, out, told)
	}
	if _, err := registryname.NewDigest(strings.TrimSpace(out)); err != nil {
		t.Error(err)
	}
}

// A save that is cut off leaves no half of an archive.
func TestImageSaveToWhereNothingCanBeWritten(t *testing.T) {
	code, _, told := typed(t, "image", "save", "--binary", staticProgram(t), "--output", filepath.Join(t.TempDir(), "none", "image.tar"))
	if code != ExitFailed || !strings.Contains(told, "error: save image: ") {
		t.Errorf("exit code %d, stderr %q", code, told)
	}
}
