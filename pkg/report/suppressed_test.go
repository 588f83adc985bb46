package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every format tells what is suppressed, why and until when, and which entry no
// longer counts.
func TestSuppressionsAreTold(t *testing.T) {
	texts := map[string]string{}
	for _, format := range Formats() {
		texts[format.Name] = written(t, format.Name, suppressed())
		for _, want := range []string{"120 wanted, 77 allowed", "suppressed until 2026-12-01: halved", "BG-DB-04 was suppressed until 2026-11-01: it counts again"} {
			if !strings.Contains(texts[format.Name], want) {
				t.Errorf("%s doesn't say %q:\n%s", format.Name, want, texts[format.Name])
			}
		}
	}
	suite := readJUnit(t, texts["junit"])
	if suite.Skipped != 1 || suite.Failures != 0 {
		t.Errorf("JUnit counts %+v", suite.junitCounts)
	}
	result := readSARIF(t, texts["sarif"]).Results[0]
	want := []sarifSuppression{{"external", "accepted", "suppressed until 2026-12-01: halved | tonight"}}
	if diff := cmp.Diff(want, result.Suppressions); diff != "" || result.Level != "warning" {
		t.Errorf("a result of level %s: %s", result.Level, diff)
	}
	if !strings.Contains(texts["markdown"], "| 🔕 | [BG-DB-03]") {
		t.Error(texts["markdown"])
	}
}
