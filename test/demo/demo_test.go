package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

func TestRunRefusesWhatMakesNoSense(t *testing.T) {
	plugin := filepath.Join(t.TempDir(), pluginName)
	if err := os.WriteFile(plugin, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"neither lab nor current": {"--cluster=moon", "--plugin=" + plugin},
		"at least one request":    {"--rate=0", "--plugin=" + plugin},
		"run `make demo`":         {},
		"no such file":            {"--plugin=" + plugin + "-gone"},
		"by its name":             {"--plugin=" + filepath.Dir(plugin)},
		"is not a flag":           {"--plugin=" + plugin, "now"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("run(%v) = %v, want an error with %q", args, err, want)
		}
	}
	if _, err := parse([]string{"--plugin=" + plugin}, io.Discard); err != nil {
		t.Errorf("good flags were refused: %v", err)
	}
}

func TestArchiveIsForTheNodesArchitecture(t *testing.T) {
	folder := t.TempDir()
	binary, archive := filepath.Join(folder, "service"), filepath.Join(folder, "image.tar")
	if err := os.WriteFile(binary, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, architecture := range []string{"amd64", "arm64"} {
		if err := writeArchive("recommendation:v2.5.0", binary, architecture, archive); err != nil {
			t.Fatal(err)
		}
		read, err := tarball.ImageFromPath(archive, nil)
		if err != nil {
			t.Fatal(err)
		}
		config, err := read.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS != "linux" || config.Architecture != architecture || config.Config.Entrypoint[0] != "/service" {
			t.Errorf("image for %s/%s runs %v, want linux/%s and /service", config.OS, config.Architecture, config.Config.Entrypoint, architecture)
		}
		index, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(archive) })
		if err != nil || !strings.HasSuffix(index[0].RepoTags[0], "recommendation:v2.5.0") {
			t.Errorf("archive is tagged %v, %v", index, err)
		}
	}
	if err := writeArchive("recommendation:v2.5.0", binary+"-gone", "amd64", archive); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for a program that is not there", err)
	}
}

func TestOwnManifestTouchesNothingOfTheCluster(t *testing.T) {
	for name, text := range map[string]string{"monitoring": manifests.Monitoring, "database": manifests.Database} {
		changed, err := ownManifest(text)
		if err != nil {
			t.Fatal(err)
		}
		documents := strings.Split(strings.TrimPrefix(string(changed), "---\n"), "---\n")
		if want := strings.Count(text, "\nkind: "); len(documents) != want {
			t.Errorf("%s: %d objects, want %d", name, len(documents), want)
		}
		for _, document := range documents {
			if !strings.Contains(document, ownLabel+`: "true"`) {
				t.Errorf("%s: an object lacks the label:\n%s", name, document)
			}
			clusterWide := strings.Contains(document, "\nkind: ClusterRole")
			if clusterWide && (strings.Contains(document, "name: prometheus\nrules") || !strings.Contains(document, "name: "+ownPrefix+"prometheus")) {
				t.Errorf("%s: an object without a namespace has a name that others use:\n%s", name, document)
			}
		}
	}
	if _, err := ownManifest("kind: [unclosed"); err == nil {
		t.Error("nonsense was taken")
	}
}

func TestExcerptShowsWhatMatters(t *testing.T) {
	var out bytes.Buffer
	output := &excerpt{out: &out, show: &exceptPassed{}}
	report := `shop in shop: live blue, target green

cluster and colours
───────────────────
√ BG-COL-01 passed
    a detail of what passed
‼ BG-COL-09 warned
    why
    → what to do
database
- BG-DB-02 skipped: not declared

× blocked by BG-DB-03 (3 checks: 1 failed, 1 warned)
next: kubectl bluegreen explain BG-DB-03`
	for _, piece := range strings.SplitAfter(report, "a") {
		if _, err := output.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if all := output.finish(); all != report {
		t.Errorf("kept %q", all)
	}
	want := `    shop in shop: live blue, target green
    ‼ BG-COL-09 warned
        why
        → what to do
    × blocked by BG-DB-03 (3 checks: 1 failed, 1 warned)
    next: kubectl bluegreen explain BG-DB-03
    (2 lines are left out here: checks that passed or had nothing to look at)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("excerpt (-want +got):\n%s", diff)
	}
}

// Who looks for the files of the story is told where they are.
func TestSettingNamesTheFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "bluegreen-story-1")
	var out bytes.Buffer
	narrator{out: &out}.say("%s", setting(folder))
	for _, want := range []string{folder, "watched for 15"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("nothing says %q in:\n%s", want, out.String())
		}
	}
}

func TestFoldKeepsEveryWord(t *testing.T) {
	got := fold("08:29:12 revert one two three four five", 24)
	want := []string{"08:29:12 revert one two", "        three four five"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fold (-want +got):\n%s", diff)
	}
	if got := fold(strings.Repeat("x", 40), 24); len(got) != 1 {
		t.Errorf("one word became %d lines", len(got))
	}
	if got := wrap("one two  three\nfour", 9); got != "one two\nthree\nfour" {
		t.Errorf("wrap = %q", got)
	}
}

// node is one with a provider, a name and labels.
func node(name, provider string, labels map[string]string) []corev1.Node {
	return []corev1.Node{{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.NodeSpec{ProviderID: provider},
		Status:     corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{Architecture: "arm64"}},
	}}
}
