package lab

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// A lab is built from no more than it runs: what these are built from takes
// minutes.
func TestOnlyWhoWantsAnAddonNeedsItsSet(t *testing.T) {
	for addon, folder := range map[Addon]string{Gateway: "traefik", Skipper: "skipper", Mesh: "istiod", Logs: "loki"} {
		has := func(addons []Addon) bool {
			return slices.ContainsFunc(sets(addons), func(set programs.Set) bool { return set.Folder == folder })
		}
		if has(Standard()) || has(nil) {
			t.Errorf("a lab without the addon %s builds it", addon)
		}
		if !has([]Addon{addon}) {
			t.Errorf("a lab with the addon %s doesn't build it", addon)
		}
	}
}

// What setup prepares can be built: each set has a module of its own, and a
// module is built by one set.
func TestEverySetOfTheAddonsIsThere(t *testing.T) {
	source, err := programs.Source()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Glob(filepath.Join(source, "*", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var built []string
	for _, set := range sets(Addons()) {
		built = append(built, filepath.Join(source, set.Folder, "go.mod"))
	}
	slices.Sort(built)
	if diff := cmp.Diff(modules, built); diff != "" {
		t.Errorf("modules (-there +built):\n%s", diff)
	}
}

// The version is said in three places, which must be one.
func TestVersionsAreThoseThatAreBuilt(t *testing.T) {
	source, err := programs.Source()
	if err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]struct{ module, version, manifest string }{
		"traefik": {"github.com/traefik/traefik/v3", traefikVersion, manifests.Gateway},
		"istiod":  {"istio.io/istio", istiodVersion, manifests.Mesh},
	} {
		module, err := os.ReadFile(filepath.Join(source, folder, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		required := regexp.MustCompile(`\s` + regexp.QuoteMeta(want.module) + ` (v\S+)`).FindSubmatch(module)
		if len(required) != 2 || string(required[1]) != want.version {
			t.Errorf("go.mod of %s requires %q, images and flags say %s", folder, required, want.version)
		}
		if !strings.Contains(want.manifest, ":"+want.version+"\n") {
			t.Errorf("the manifest of %s is of another image than %s", folder, want.version)
		}
	}
}

// What is tried against definitions is what the gateway serves.
func TestRoutesAreThoseOfTheGateway(t *testing.T) {
	source, err := programs.Source()
	if err != nil {
		t.Fatal(err)
	}
	versions := func(set, module string) string {
		text, err := os.ReadFile(filepath.Join(source, set, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		required := regexp.MustCompile(regexp.QuoteMeta(module) + ` (v\S+)`).FindSubmatch(text)
		if len(required) != 2 {
			t.Fatalf("%s requires no %s", set, module)
		}
		return string(required[1])
	}
	for _, module := range []string{"github.com/traefik/traefik/v3", "sigs.k8s.io/gateway-api"} {
		if routes, gateway := versions("routes", module), versions("traefik", module); routes != gateway {
			t.Errorf("%s: definitions of %s, and the gateway is %s", module, routes, gateway)
		}
	}
}

func TestDefinitionsAreReadThroughLinks(t *testing.T) {
	built, bin := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"traefik": "", "a.yaml": "kind: A", "b.yaml": "kind: B", "c.txt": "C"} {
		if err := os.WriteFile(filepath.Join(built, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(bin, "traefik")
	if err := os.Symlink(filepath.Join(built, "traefik"), link); err != nil {
		t.Fatal(err)
	}
	for what, place := range map[string]string{"beside the program": link, "in the folder": built} {
		texts, err := definitions(place)
		if err != nil || strings.Join(texts, ", ") != "kind: A, kind: B" {
			t.Errorf("%s: %q, %v", what, texts, err)
		}
	}
	if _, err := definitions(filepath.Join(bin, "other")); err == nil {
		t.Error("a program that isn't there has definitions beside it")
	}
}

// An addon of a lab that runs brings its programs, and changes no other one.
func TestLinkKeepsWhatIsThere(t *testing.T) {
	folder := t.TempDir()
	if err := link(map[string]string{"kubectl": "/older/kubectl"}, folder); err != nil {
		t.Fatal(err)
	}
	if err := link(map[string]string{"kubectl": "/newer/kubectl", "traefik": "/newer/traefik"}, folder); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"kubectl": "/older/kubectl", "traefik": "/newer/traefik"} {
		if got, err := os.Readlink(filepath.Join(folder, name)); err != nil || got != want {
			t.Errorf("%s leads to %q, %v; want %s", name, got, err, want)
		}
	}
}
