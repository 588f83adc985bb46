package report

import (
	"strings"
	"testing"
	"time"
)

func TestWriteTests(t *testing.T) {
	var out strings.Builder
	err := WriteTests(&out, "checks", time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), []Test{
		{ID: "SHOP-01", Name: "as it is: SHOP-01 is fail", Passed: true, Got: "fail", Message: "expected fail, got fail: <x>"},
		{ID: "SHOP-02", Name: "as it is: SHOP-02 is pass", Got: "fail", Message: "expected pass, got fail: a\nb"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<testsuite name="checks" timestamp="2026-11-22T12:00:00" tests="2" failures="1" errors="0" skipped="0">`,
		`<testcase classname="bluegreen.SHOP-01" name="as it is: SHOP-01 is fail">`,
		`<system-out>expected fail, got fail: &lt;x&gt;</system-out>`,
		`<failure message="expected pass, got fail: a b" type="fail"></failure>`,
	} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, out.String())
		}
	}
}
