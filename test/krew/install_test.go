package krew

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// krew is a krew with a root of its own.
type krew struct {
	t        *testing.T
	programs string
	root     string
	index    string
}

// newKrew builds krew and its validator, and gives it an index that has nothing yet.
func newKrew(t *testing.T) *krew {
	t.Helper()
	k := &krew{t: t, programs: t.TempDir(), root: t.TempDir(), index: t.TempDir()}
	t.Setenv("PATH", strings.Join([]string{k.programs, filepath.Join(k.root, "bin"), os.Getenv("PATH")}, string(os.PathListSeparator)))
	built, err := programs.Build(t.Context(), t.Output(), programs.Cluster()[0]) // a lab has it built
	check(t, err)
	check(t, os.Symlink(built["kubectl"], filepath.Join(k.programs, "kubectl")))
	check(t, os.Symlink("krew", filepath.Join(k.programs, "kubectl-krew")))
	k.run("go", "build", "-o", k.programs+string(filepath.Separator), "sigs.k8s.io/krew/cmd/krew", "sigs.k8s.io/krew/cmd/validate-krew-manifest")
	check(t, os.Mkdir(filepath.Join(k.index, "plugins"), 0o755))
	k.git("init", "--quiet", "--initial-branch=master")
	k.publish("README.md", []byte("an index\n"))
	return k
}

// run runs a program, and returns all that it said.
func (k *krew) run(name string, args ...string) string {
	k.t.Helper()
	command := exec.CommandContext(k.t.Context(), name, args...)
	command.Env = append(os.Environ(), "KREW_ROOT="+k.root, "KREW_DEFAULT_INDEX_URI="+k.index, "KREW_NO_UPGRADE_CHECK=1")
	out, err := command.CombinedOutput()
	if err != nil {
		k.t.Fatalf("%s %q: %v: %s", filepath.Base(name), args, err, out)
	}
	return string(out)
}

func (k *krew) krew(args ...string) string {
	k.t.Helper()
	return k.run("kubectl", append([]string{"krew"}, args...)...)
}

func (k *krew) git(args ...string) {
	k.t.Helper()
	k.run("git", append([]string{"-C", k.index, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
}

// publish commits a file to the index.
func (k *krew) publish(name string, text []byte) {
	k.t.Helper()
	check(k.t, os.WriteFile(filepath.Join(k.index, filepath.FromSlash(name)), text, 0o600))
	k.git("add", "-A")
	k.git("commit", "--quiet", "-m", name)
}

// program is the plugin that make built, or one that is built now.
func (k *krew) program() string {
	k.t.Helper()
	if path := os.Getenv("BLUEGREEN_PLUGIN"); path != "" {
		return path
	}
	path := filepath.Join(k.programs, "kubectl-bluegreen")
	k.run("go", "build", "-C", checkout, "-o", path, "./cmd/kubectl-bluegreen")
	return path
}

// pack makes an archive as a release has it, and returns its SHA-256.
func pack(t *testing.T, path string, files map[string]string) string {
	t.Helper()
	archive, err := os.Create(path)
	check(t, err)
	zipped, err := gzip.NewWriterLevel(archive, gzip.BestSpeed)
	check(t, err)
	writer := tar.NewWriter(zipped)
	for name, from := range files {
		content, err := os.ReadFile(from)
		check(t, err)
		check(t, writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}))
		_, err = writer.Write(content)
		check(t, err)
	}
	check(t, writer.Close())
	check(t, zipped.Close())
	check(t, archive.Close())
	content, err := os.ReadFile(path)
	check(t, err)
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// release is an archive as a release has it, on a server, and .krew.yaml rendered
// for it.
type release struct {
	archive, sum string
	server       *httptest.Server
}

func newRelease(t *testing.T, program string) *release {
	t.Helper()
	folder := t.TempDir()
	licence := filepath.Join(checkout, "LICENSE")
	made := &release{archive: filepath.Join(folder, "archive.tar.gz")}
	// One archive stands for those of all systems, so it also has what Windows takes.
	made.sum = pack(t, made.archive, map[string]string{"kubectl-bluegreen": program, "kubectl-bluegreen.exe": licence, "bluegreen-action": licence, "LICENSE": licence})
	made.server = httptest.NewServer(http.FileServer(http.Dir(folder)))
	t.Cleanup(made.server.Close)
	return made
}

func (r *release) manifest(t *testing.T, version string) []byte {
	t.Helper()
	return render(t, version, func(string) (string, string) { return r.server.URL + "/archive.tar.gz", r.sum })
}

// The real krew takes the manifest, and what it installs works.
func TestKrew(t *testing.T) {
	k := newKrew(t)
	made := newRelease(t, k.program())
	manifest := filepath.Join(t.TempDir(), "bluegreen.yaml")
	check(t, os.WriteFile(manifest, made.manifest(t, "v1.2.3"), 0o600))
	k.krew("update")
	k.installs(manifest, made)
	k.upgrades(made)
	k.validates(manifest, made)
}

// installs installs from an archive at hand, uses what is there, completes by the
// line that the caveats of the manifest say, and takes it away.
func (k *krew) installs(manifest string, made *release) {
	k.t.Helper()
	k.krew("install", "--manifest="+manifest, "--archive="+made.archive)
	if out := k.run("kubectl", "bluegreen", "check", "--stage", "pr", "-f", filepath.Join(checkout, "examples", "recommendation", "bluegreen.yaml")); !strings.Contains(out, "nothing blocks") {
		k.t.Errorf("check said %s", out)
	}
	// Not beside the plugin: krew takes a folder with programs that it doesn't know
	// for one of a version that is gone, and does nothing any more.
	complete := filepath.Join(k.programs, "kubectl_complete-bluegreen")
	check(k.t, os.WriteFile(complete, []byte(k.run("kubectl", "bluegreen", "completion", "kubectl")), 0o755))
	if out := k.run("kubectl_complete-bluegreen", "shi"); !strings.Contains(out, "shift") {
		k.t.Errorf("completed is %q", out)
	}
	store := filepath.Join(k.root, "store", "bluegreen")
	if files, err := os.ReadDir(filepath.Join(store, "v1.2.3")); err != nil || len(files) != 2 {
		k.t.Errorf("installed are %v, %v: expected the plugin and the licence", files, err)
	}
	k.krew("uninstall", "bluegreen")
	for _, gone := range []string{filepath.Join(k.root, "bin", "kubectl-bluegreen"), store} {
		if _, err := os.Lstat(gone); err == nil {
			k.t.Errorf("%s is still there after uninstall", gone)
		}
	}
}

// upgrades installs from an index, and gets the next version from it.
func (k *krew) upgrades(made *release) {
	k.t.Helper()
	for _, version := range []string{"v1.2.3", "v1.2.4"} {
		k.publish("plugins/bluegreen.yaml", made.manifest(k.t, version))
		k.krew("update")
		if version == "v1.2.3" {
			k.krew("install", "bluegreen")
		} else {
			k.krew("upgrade", "bluegreen")
		}
		if target, err := filepath.EvalSymlinks(filepath.Join(k.root, "bin", "kubectl-bluegreen")); err != nil || !strings.Contains(target, version) {
			k.t.Errorf("with %s in the index the plugin is %s, %v", version, target, err)
		}
	}
	k.run("kubectl", "bluegreen", "version")
	k.krew("uninstall", "bluegreen")
}

// validates has krew's own validator take the manifest, for which it installs the
// archive of every system, and refuse it with a fault: a selector that two
// platforms match, an archive that is another.
func (k *krew) validates(manifest string, made *release) {
	k.t.Helper()
	k.run("validate-krew-manifest", "-manifest", manifest)
	text := string(made.manifest(k.t, "v1.2.3"))
	for name, planted := range map[string]string{
		"overlapping": strings.Replace(text, "os: linux, arch: arm64", "os: linux, arch: amd64", 1),
		"another sum": strings.Replace(text, made.sum, strings.Repeat("0", 64), 1),
	} {
		check(k.t, os.WriteFile(manifest, []byte(planted), 0o600))
		if out, err := exec.CommandContext(k.t.Context(), "validate-krew-manifest", "-manifest", manifest).CombinedOutput(); err == nil {
			k.t.Errorf("%s: the manifest was taken: %s", name, out)
		}
	}
}
