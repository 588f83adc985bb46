package lab

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"lab": true, "a": true, "test-12345": true,
		"": false, "-a": false, "a-": false, "A": false, "a/b": false, "..": false, strings.Repeat("a", 21): false,
	} {
		if _, err := newLayout(name); (err == nil) != good {
			t.Errorf("%q: %v, want it taken: %t", name, err, good)
		}
	}
}

func TestSocketPathsFit(t *testing.T) {
	where, err := newLayout(strings.Repeat("a", 20))
	if err != nil {
		t.Fatal(err)
	}
	if path := where.file("containerd.sock.ttrpc"); len(path) > 107 {
		t.Errorf("%s has %d bytes, a socket's path may have 107", path, len(path))
	}
}

func TestParseAddons(t *testing.T) {
	tests := map[string]struct {
		names []string
		want  []Addon
		fails bool
	}{
		"all":     {names: []string{"all"}, want: []Addon{Monitoring, Database, Gateway, Routes, Skipper, Mesh, Logs}},
		"none":    {names: []string{"none"}, want: []Addon{}},
		"one":     {names: []string{"database"}, want: []Addon{Database}},
		"unknown": {names: []string{"grafana"}, fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseAddons(test.names)
			if (err != nil) != test.fails {
				t.Fatalf("error %v, want one: %t", err, test.fails)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("addons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvironmentIsTheLabs(t *testing.T) {
	where, err := newLayout("lab")
	if err != nil {
		t.Fatal(err)
	}
	got := open(where).environment([]string{"PATH=/opt/bin", "KUBECONFIG=/home/me", "HTTPS_PROXY=http://proxy", "HOME=/root"})
	want := []string{"HOME=/root", "PATH=" + where.file("bin") + ":/opt/bin:" + systemPath, "KUBECONFIG=" + where.file("kubeconfig")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestConfigurationIsComplete(t *testing.T) {
	where, err := newLayout("lab")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	entries, err := templates.ReadDir("config")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := where.render(entry.Name(), filepath.Join(folder, entry.Name())); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryImageOfTheManifestsIsBuilt(t *testing.T) {
	for _, parts := range catalogue() {
		found := 0
		for line := range strings.Lines(strings.Join(parts.manifests, "\n")) {
			reference, is := strings.CutPrefix(strings.TrimSpace(line), "image: ")
			if !is {
				continue
			}
			found++
			if _, built := parts.images[reference]; !built {
				t.Errorf("addon %s doesn't build %s", parts.addon, reference)
			}
		}
		if found < len(parts.images) {
			t.Errorf("addon %s builds %d images and uses %d", parts.addon, len(parts.images), found)
		}
	}
}

func TestEveryComponentHasArguments(t *testing.T) {
	where, err := newLayout("lab")
	if err != nil {
		t.Fatal(err)
	}
	for _, component := range Components() {
		if len(open(where).arguments(component, Options{})) == 0 {
			t.Errorf("%s has no arguments", component)
		}
	}
	audited := open(where).arguments(APIServer, Options{Audit: true})
	if !slices.ContainsFunc(audited, func(argument string) bool { return strings.HasPrefix(argument, "--audit-log-path=") }) {
		t.Errorf("no audit log: %v", audited)
	}
}

func TestRecordState(t *testing.T) {
	gone := process.Record{PID: 1, Started: 1}
	for want, known := range map[string]record{
		"left over": {},
		"abandoned": {Owner: &gone},
	} {
		if got := known.state(); got != want {
			t.Errorf("state %q, want %q", got, want)
		}
	}
	if (record{Ready: true}).healthy() {
		t.Error("a lab without processes is healthy")
	}
}
