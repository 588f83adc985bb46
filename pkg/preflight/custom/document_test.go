package custom

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/custom-checks.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheExamplesOfThePage: each check of the page passes where all is well, and is
// caught at its planted fault.
func TestTheExamplesOfThePage(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?kind: CheckSet.*?)```").FindStringSubmatch(page(t))
	if block == nil {
		t.Fatal("the page has no CheckSet")
	}
	declared, err := release.ParseChecks("custom-checks.md", []byte(block[1]))
	if err != nil {
		t.Fatal(err)
	}
	checks, err := Compile(declared, shop().Release)
	if err != nil {
		t.Fatal(err)
	}
	healthy := func() *preflight.Facts {
		facts := shop()
		green := facts.Colors["green"]
		green.Pools = map[string]map[string]postgres.PoolSize{"main": {"deployment/shop-green": {Connections: 10, Known: true}}}
		facts.Colors["green"] = green
		return facts
	}
	green := func(facts *preflight.Facts) *corev1.Container {
		return &facts.Colors["green"].Workloads.Value[0].Template.Spec.Containers[0]
	}
	faults := map[string]struct {
		plant func(*preflight.Facts)
		want  preflight.Outcome
	}{
		"SHOP-01": {func(facts *preflight.Facts) { green(facts).Image = "docker.io/shop:v2" }, preflight.Fail},
		"SHOP-02": {func(facts *preflight.Facts) { facts.Time = facts.Time.AddDate(0, 0, 5) }, preflight.Warn},
		"SHOP-03": {func(facts *preflight.Facts) {
			green(facts).Resources.Limits[corev1.ResourceMemory] = resource.MustParse("1Gi")
		}, preflight.Fail},
		"SHOP-04": {func(facts *preflight.Facts) {
			facts.Colors["green"].Pools["main"]["deployment/shop-green"] = postgres.PoolSize{Connections: 40, Known: true}
		}, preflight.Fail},
		"SHOP-05": {func(facts *preflight.Facts) { facts.Monitoring.Requests = nil }, preflight.Unknown},
		"SHOP-06": {func(facts *preflight.Facts) {
			green(facts).Resources.Limits[corev1.ResourceMemory] = resource.MustParse("2Gi")
		}, preflight.Fail},
	}
	if len(checks) != len(faults) {
		t.Errorf("%d checks and %d faults", len(checks), len(faults))
	}
	for _, check := range checks {
		if got := check.Evaluate(healthy())[0]; got.Outcome != preflight.Pass {
			t.Errorf("%s of a healthy release: %s: %s", check.ID, got.Outcome, got.Cause)
		}
		facts := healthy()
		faults[check.ID].plant(facts)
		if got := check.Evaluate(facts)[0]; got.Outcome != faults[check.ID].want {
			t.Errorf("%s at its fault: %s: %s", check.ID, got.Outcome, got.Cause)
		}
	}
}

// TestThePageNamesEveryVariable: those of this package, and every field of them.
func TestThePageNamesEveryVariable(t *testing.T) {
	text := page(t)
	for _, of := range newSchemaOf(t).structures {
		if !strings.HasSuffix(of.goType.PkgPath(), "/custom") {
			continue
		}
		for _, name := range of.fieldNames() {
			if !regexp.MustCompile("`" + name + "(\\[\\])?`").MatchString(text) {
				t.Errorf("%s of %s is not on the page", name, of.name)
			}
		}
	}
}

// TestEveryVariableCanBeNamed: none is a reserved word of CEL.
func TestEveryVariableCanBeNamed(t *testing.T) {
	for _, name := range newSchemaOf(t).structureOf(reflect.TypeFor[Variables]()).fieldNames() {
		compiled(t, release.CustomCheck{Expression: name + " == " + name})
	}
}

func newSchemaOf(t *testing.T) *schema {
	t.Helper()
	_, known, err := newEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	return known
}
