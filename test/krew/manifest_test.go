package krew

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// checkout is the root of the repository.
var checkout = filepath.Join("..", "..")

// render renders .krew.yaml as krew-release-bot does, but for the SHA-256 of each
// archive, which it fetches: locate says where the archive is and what it should be.
func render(t *testing.T, version string, locate func(url string) (uri, sum string)) []byte {
	t.Helper()
	fill := func(url, tag string) (string, error) {
		var filled bytes.Buffer
		parsed, err := template.New("").Parse(url)
		if err != nil {
			return "", err
		}
		if err := parsed.Execute(&filled, struct{ TagName string }{tag}); err != nil {
			return "", err
		}
		uri, sum := locate(filled.String())
		return fmt.Sprintf("uri: %s\n    sha256: %s", uri, sum), nil
	}
	parsed, err := template.New(".krew.yaml").Funcs(template.FuncMap{"addURIAndSha": fill}).ParseFiles(filepath.Join(checkout, ".krew.yaml"))
	check(t, err)
	var text bytes.Buffer
	check(t, parsed.Execute(&text, struct{ TagName string }{version}))
	return text.Bytes()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// published says of each archive where GitHub has it, and nothing of its content.
func published(url string) (uri, sum string) { return url, strings.Repeat("0", 64) }

// Every archive of a release is in the manifest once, under the name that it has
// there, and for the system that is in the name.
func TestManifestNamesEveryArchive(t *testing.T) {
	var manifest struct {
		Spec struct {
			ShortDescription string `json:"shortDescription"`
			Platforms        []struct {
				URI      string `json:"uri"`
				Bin      string `json:"bin"`
				Selector struct {
					MatchLabels map[string]string `json:"matchLabels"`
				} `json:"selector"`
			} `json:"platforms"`
		} `json:"spec"`
	}
	check(t, yaml.Unmarshal(render(t, "v1.2.3", published), &manifest))
	var got []string
	for _, platform := range manifest.Spec.Platforms {
		labels := platform.Selector.MatchLabels
		got = append(got, platform.URI)
		if !strings.Contains(platform.URI, "_"+labels["os"]+"_"+labels["arch"]+".") {
			t.Errorf("%v has %s", labels, platform.URI)
		}
		if strings.HasSuffix(platform.Bin, ".exe") != (labels["os"] == "windows") {
			t.Errorf("on %v the program is %s", labels, platform.Bin)
		}
	}
	slices.Sort(got)
	var want []string
	for _, archive := range []string{"darwin_amd64.tar.gz", "darwin_arm64.tar.gz", "linux_amd64.tar.gz", "linux_arm64.tar.gz", "windows_amd64.zip", "windows_arm64.zip"} {
		want = append(want, "https://github.com/bluegreen-dev/kubectl-bluegreen/releases/download/v1.2.3/kubectl-bluegreen_"+archive)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archives (-want +got):\n%s", diff)
	}
	// Krew's rules for the one line: https://krew.sigs.k8s.io/docs/developer-guide/develop/best-practices/
	if short := manifest.Spec.ShortDescription; len(short) > 50 || regexp.MustCompile(`(?i)kubectl|kubernetes|\.$|\n`).MatchString(short) {
		t.Errorf("the short description is %q", short)
	}
}

// The manifest that the README has made of a snapshot is that of the bot.
func TestManifestOfASnapshot(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(checkout, "README.md"))
	check(t, err)
	_, script, found := strings.Cut(string(readme), "\n$ awk ")
	script, _, ends := strings.Cut(script, "\n$ ")
	if !found || !ends {
		t.Fatal("the README makes no manifest")
	}
	folder, sums := t.TempDir(), map[string]string{}
	var list strings.Builder
	want := render(t, "v0.0.0-0123456789ab", func(url string) (string, string) {
		sums[url] = fmt.Sprintf("%064d", len(sums))
		fmt.Fprintf(&list, "%s  %s\n", sums[url], path.Base(url))
		return url, sums[url]
	})
	check(t, os.MkdirAll(filepath.Join(folder, "dist", "snapshot"), 0o700))
	check(t, os.WriteFile(filepath.Join(folder, "dist", "snapshot", "checksums.txt"), []byte(list.String()), 0o600))
	template, err := os.ReadFile(filepath.Join(checkout, ".krew.yaml"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(folder, ".krew.yaml"), template, 0o600))
	command := exec.CommandContext(t.Context(), "sh", "-c", "tag=v0.0.0-0123456789ab; awk "+script)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(folder, "dist", "bluegreen.yaml"))
	check(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-bot +README):\n%s", diff)
	}
}
