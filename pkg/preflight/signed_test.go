package preflight

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
)

// resign changes the sign-off of an id.
func (f *Facts) resign(id string, change func(*signoff.Entry)) {
	entry := f.SignOffs.Value[id]
	change(&entry)
	f.SignOffs.Value[id] = entry
}

func plantedInSignOffs() []planted {
	expire := func(id string) func(*Facts) {
		return func(f *Facts) { f.resign(id, func(e *signoff.Entry) { e.SignOff.Until = "2026-11-20" }) }
	}
	revoke := func(id string) func(*Facts) { return func(f *Facts) { delete(f.SignOffs.Value, id) } }
	return []planted{
		{"BG-TST-01", "nobody signed", revoke("BG-TST-01"), Skip, "not declared: a sign-off of a load on both colours"},
		{"BG-TST-01", "expired", expire("BG-TST-01"), Unknown, "signed off by ana on 2026-11-21, and expired since 2026-11-21"},
		{"BG-TST-01", "another image", func(f *Facts) { f.Images.Value[1].Reference = "shop:v3" }, Unknown, "deployment/shop-green, which is shop:v3 now"},
		{"BG-TST-01", "the images are not known", func(f *Facts) { f.Images.Known, f.Images.Problem = false, "forbidden" }, Unknown, "whether it fits can't be seen: forbidden"},
		{"BG-TST-01", "edited by hand", func(f *Facts) {
			f.resign("BG-TST-01", func(e *signoff.Entry) { *e = signoff.Entry{Problem: "it is no sign-off as JSON"} })
		}, Unknown, "key BG-TST-01: it is no sign-off as JSON"},
		{"BG-TST-02", "nobody rehearsed", revoke("BG-TST-02"), Skip, "not declared: a sign-off of a rollback drill"},
		{"BG-TST-02", "expired", expire("BG-TST-02"), Unknown, "expired since 2026-11-21"},
		{"BG-TST-02", "another kind of route", func(f *Facts) {
			f.resign("BG-TST-02", func(e *signoff.Entry) { e.SignOff.Binding.Routes = []string{"httproute"} })
		}, Unknown, "it was given for httproute, and the route is service"},
		{"BG-TST-02", "for longer than a quarter", func(f *Facts) {
			f.resign("BG-TST-02", func(e *signoff.Entry) { e.SignOff.Until = "2027-06-01" })
		}, Unknown, "more than 92 days"},
		{"BG-NET-05", "nobody signed", revoke("BG-NET-05"), Skip, "not declared: a sign-off of client-side caching"},
		{"BG-NET-05", "another route", func(f *Facts) {
			f.resign("BG-NET-05", func(e *signoff.Entry) { e.SignOff.Binding.Routes = []string{"service/other"} })
		}, Unknown, "given for service/other, and the route is service/svc-production"},
		{"BG-NET-05", "not readable", func(f *Facts) { f.SignOffs = Fact[map[string]signoff.Entry]{Problem: "get configmaps: forbidden"} }, Unknown, "forbidden"},
	}
}

// What nobody has signed, or what counts no more, stops nobody who is starting;
// production must know.
func TestSignOffsAreWeighedByRequire(t *testing.T) {
	for _, fault := range plantedInSignOffs() {
		for require, blocked := range map[string]bool{release.RequireStarter: false, release.RequireProduction: true} {
			facts := healthy()
			facts.Release.Spec.Require = require
			fault.plant(facts)
			report := Evaluate(facts, Catalogue(), StageDeploy)
			if slices.Contains(report.Blocking, fault.id) != blocked || report.Blocked() != blocked {
				t.Errorf("%s %s, %s: blocked by %v, want blocked: %t", fault.id, fault.name, require, report.Blocking, blocked)
			}
			finding := findingsOf(report, fault.id)[0]
			if !strings.Contains(finding.Remedy, "kubectl bluegreen signoff "+fault.id+" --by NAME") {
				t.Errorf("%s %s: remedy %q", fault.id, fault.name, finding.Remedy)
			}
		}
	}
}

// The sign-offs are read from the release's ConfigMap, and the images from what
// runs.
func TestCollectReadsSignOffs(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop-signoffs", Namespace: "shop", Labels: map[string]string{cluster.LabelRelease: "shop"}},
			Data: map[string]string{"BG-TST-02": "not JSON"}}
		if err := client.Tracker().Add(object); err != nil {
			t.Fatal(err)
		}
	})
	// First, for the fake keeps the dry run of a switch.
	if signed := CollectSigned(t.Context(), in); len(signed.SignOffs.Value) != 1 || len(signed.Images.Value) != 2 || signed.Route.Value.Live != "blue" {
		t.Errorf("%+v, %+v, %+v", signed.SignOffs, signed.Images, signed.Route)
	}
	facts := Collect(t.Context(), in)
	report := Evaluate(facts, Catalogue(), StageDeploy)
	if got := findingsOf(report, "BG-TST-02")[0]; got.Outcome != Unknown || !strings.Contains(got.Cause, "key BG-TST-02") {
		t.Errorf("%s: %s; want unknown by its key", got.Outcome, got.Cause)
	}
	if got := findingsOf(report, "BG-TST-01")[0]; got.Outcome != Skip || !got.Undeclared {
		t.Errorf("%s: %s; want not declared", got.Outcome, got.Cause)
	}
	if !facts.Images.Known || len(facts.Images.Value) != 2 || facts.Images.Value[1].Reference != "registry.example:5000/shop:v2" {
		t.Errorf("images = %+v", facts.Images)
	}
}

// What the manifests of the target will run counts, and not what it runs now.
func TestImagesOfManifestsCount(t *testing.T) {
	file := filepath.Join(t.TempDir(), "green.yaml")
	if err := os.WriteFile(file, []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop-green}\nspec:\n  selector: {matchLabels: {version: green}}\n"+
		"  template:\n    metadata: {labels: {version: green}}\n    spec: {containers: [{name: app, image: \"shop:v3\"}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := inputs(t, "", "3", nil)
	in.Manifests = map[string][]string{"green": {file}, "blue": {file}}
	found := CollectSigned(t.Context(), in).Images
	if !found.Known || found.Value[0].Reference != "registry.example:5000/shop:v2" || found.Value[1].Reference != "shop:v3" {
		t.Errorf("images = %+v", found)
	}
}

func TestDigests(t *testing.T) {
	running := func(facts *Facts, ids ...string) {
		for i, id := range ids {
			pod := facts.Colors["green"].Owned.Value[i].DeepCopy()
			pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.example:5000/shop:v2"}}
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", ImageID: id}}
			facts.Colors["green"].Owned.Value[i] = *pod
		}
	}
	for name, test := range map[string]struct {
		plant func(*Facts)
		want  string
	}{
		"pods agree":    {func(f *Facts) { running(f, "registry/shop@sha256:1", "registry/shop@sha256:1") }, "sha256:1"},
		"pods disagree": {func(f *Facts) { running(f, "registry/shop@sha256:1", "registry/shop@sha256:2") }, ""},
		"no repository": {func(f *Facts) { running(f, "sha256:3") }, "sha256:3"},
		"pods of another image": {func(f *Facts) {
			running(f, "registry/shop@sha256:1")
			f.container("green", func(c *corev1.Container) { c.Image = "shop:v3" })
		}, ""},
		"pinned": {func(f *Facts) {
			f.container("green", func(c *corev1.Container) { c.Image = "shop@sha256:4" })
		}, "sha256:4"},
	} {
		facts := healthy()
		test.plant(facts)
		if got := images(facts).Value[1].Digest; got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
