package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// compiled is a static Linux program of this module, built once.
var compiled = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "image")
	if err != nil {
		return "", err
	}
	target := filepath.Join(folder, "program")
	command := exec.CommandContext(context.Background(), "go", "build", "-o", target, "./testdata/program")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := command.CombinedOutput(); err != nil {
		return "", errors.New(string(output))
	}
	return target, nil
})

func program(t *testing.T) string {
	t.Helper()
	path, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMain takes the program away.
func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := compiled(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func built(t *testing.T) (Program, v1.Image) {
	t.Helper()
	found, err := Open(program(t), "")
	if err != nil {
		t.Fatal(err)
	}
	image, err := Build(found)
	if err != nil {
		t.Fatal(err)
	}
	return found, image
}

// What is saved is read back as docker does, and is the program alone, run by
// a user that is not root.
func TestSavedImageIsTheProgramAlone(t *testing.T) {
	found, image := built(t)
	tag, err := ParseTag(Reference(found))
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	file, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := Save(file, tag, image)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(archive, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != runtime.GOARCH || config.Config.User != "65532:65532" ||
		!cmp.Equal(config.Config.Entrypoint, []string{"/kubectl-bluegreen"}) || len(config.Config.Env)+len(config.Config.Cmd) != 0 {
		t.Errorf("config = %s/%s %+v", config.OS, config.Architecture, config.Config)
	}
	if title := config.Config.Labels["org.opencontainers.image.title"]; title != "kubectl-bluegreen" {
		t.Errorf("labels = %v", config.Config.Labels)
	}
	if got, err := image.Digest(); err != nil || got != digest {
		t.Errorf("Save says %s, the image is %s, %v", digest, got, err)
	}
	layers, err := read.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	want, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"kubectl-bluegreen": "-r-xr-xr-x"}, modes(t, layers[0], want)); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

// modes lists a layer's files; each must hold the content.
func modes(t *testing.T, layer v1.Layer, content []byte) map[string]string {
	t.Helper()
	stream, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	found := map[string]string{}
	archive := tar.NewReader(stream)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil || !bytes.Equal(text, content) {
			t.Errorf("%s holds %d bytes that are not the program's %d, %v", header.Name, len(text), len(content), err)
		}
		if header.Uid != 0 || header.Gid != 0 || !header.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s is of user %d, of %s", header.Name, header.Uid, header.ModTime)
		}
		found[header.Name] = header.FileInfo().Mode().String()
	}
}

// The digest is the binary's: where the file lies, what it is called, when it
// was written and who may read it change nothing; one byte does.
func TestDigestDependsOnTheBinaryAlone(t *testing.T) {
	_, image := built(t)
	want, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "called-otherwise")
	digestOf := func(text []byte) v1.Hash {
		t.Helper()
		if err := errors.Join(os.WriteFile(other, text, 0o700), os.Chtimes(other, time.Unix(1e9, 0), time.Unix(1e9, 0))); err != nil {
			t.Fatal(err)
		}
		found, err := Open(other, "linux/"+runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Build(found)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := again.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	if got := digestOf(text); got != want {
		t.Errorf("a copy has digest %s, want %s", got, want)
	}
	if got := digestOf(append(text, 0)); got == want {
		t.Error("another binary has the same digest")
	}
}

func TestRefusals(t *testing.T) {
	folder := t.TempDir()
	write := func(called string, text []byte) string {
		path := filepath.Join(folder, called)
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := "arm64"
	if runtime.GOARCH == foreign {
		foreign = "amd64"
	}
	for called, test := range map[string]struct{ path, platform, says, hint string }{
		"a macOS binary":         {write("mach-o", []byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01")), "", "is not a Linux program", "--binary PATH"},
		"an empty file":          {write("empty", nil), "", "is not a Linux program", "--binary PATH"},
		"one that needs libc":    {"/bin/sh", "", "is not static", "CGO_ENABLED=0"},
		"of another platform":    {program(t), "linux/" + foreign, "is built for linux/" + runtime.GOARCH + ", not for linux/" + foreign, "GOOS=linux GOARCH=" + foreign},
		"no such file":           {filepath.Join(folder, "none"), "", "no such file", ""},
		"a platform of Windows":  {program(t), "windows/amd64", `unknown platform "windows/amd64"`, "such as linux/amd64"},
		"a platform of nothing":  {program(t), "arm64", `unknown platform "arm64"`, "such as linux/amd64"},
		"another static program": {stripped(t, folder), "", "is not kubectl-bluegreen", "--binary PATH"},
	} {
		t.Run(called, func(t *testing.T) {
			_, err := Open(test.path, test.platform)
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(release.HintOf(err), test.hint) {
				t.Errorf("err = %v, hint %q", err, release.HintOf(err))
			}
		})
	}
}

// stripped is a static Linux binary that doesn't say what it is: the program
// without what the Go toolchain stamped on it.
func stripped(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "stripped")
	text = bytes.ReplaceAll(text, []byte("mod\t"+module), []byte("mod\t"+strings.Repeat("x", len(module))))
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReference(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "v1.2.3", "(devel)": "devel", "": "devel",
		"v0.0.0-20261124150000-9c31193d8e8b+dirty": "v0.0.0-20261124150000-9c31193d8e8b-dirty",
	} {
		got := Reference(Program{Version: version})
		if got != Repository+":"+want {
			t.Errorf("Reference(%q) = %s, want the tag %s", version, got, want)
		}
		if _, err := ParseTag(got); err != nil {
			t.Error(err)
		}
	}
}

// keychain has one password for every registry.
type keychain struct{ password string }

func (k keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: "ana", Password: k.password}, nil
}

// failing is a credential helper that prints what it should not.
type failing struct{ password string }

func (f failing) Resolve(authn.Resource) (authn.Authenticator, error) {
	return nil, errors.New("error getting credentials, out: `" + f.password + "`")
}

// guarded is a registry on loopback that asks for ana's password.
func guarded(t *testing.T, password string) name.Tag {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if user, given, _ := request.BasicAuth(); user != "ana" || given != password {
			answer.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			http.Error(answer, `{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}`, http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(answer, request)
	}))
	t.Cleanup(server.Close)
	tag, err := ParseTag(strings.TrimPrefix(server.URL, "http://") + "/tools/kubectl-bluegreen:v1")
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

// What is pushed can be pulled by the reference that is printed, and is the
// image.
func TestPushedImageIsPulledByItsDigest(t *testing.T) {
	_, image := built(t)
	tag := guarded(t, "hunter2")
	reference, err := Push(t.Context(), tag, image, keychain{"hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil || reference != tag.Name()+"@"+digest.String() {
		t.Errorf("reference = %s, want %s@%s, %v", reference, tag.Name(), digest, err)
	}
	pulled, err := name.NewDigest(reference)
	if err != nil {
		t.Fatal(err)
	}
	read, err := remote.Image(pulled, remote.WithAuth(&authn.Basic{Username: "ana", Password: "hunter2"}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read.Digest(); err != nil || got != digest {
		t.Errorf("pulled %s, %v; want %s", got, err, digest)
	}
}

// No credential stands in what is said of a push that fails.
func TestFailedPushNamesNoCredential(t *testing.T) {
	_, image := built(t)
	const password = "pa55-word-of-ana"
	tag := guarded(t, "another")
	gone, err := ParseTag("127.0.0.1:1/tools/kubectl-bluegreen:v1")
	if err != nil {
		t.Fatal(err)
	}
	for called, test := range map[string]struct {
		tag  name.Tag
		keys authn.Keychain
		says string
	}{
		"refused":            {tag, keychain{password}, "refuses it: Unauthorized"},
		"a helper that errs": {tag, failing{password}, "can't be read from docker's configuration"},
		"nobody answers":     {gone, keychain{password}, "connection refused"},
	} {
		t.Run(called, func(t *testing.T) {
			_, err := Push(t.Context(), test.tag, image, test.keys)
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(release.HintOf(err), "docker login "+test.tag.RegistryStr()) {
				t.Fatalf("err = %v, hint %q", err, release.HintOf(err))
			}
			basic := base64.StdEncoding.EncodeToString([]byte("ana:" + password))
			if said := err.Error() + release.HintOf(err); strings.Contains(said, password) || strings.Contains(said, basic) {
				t.Errorf("it says %s", said)
			}
		})
	}
}
