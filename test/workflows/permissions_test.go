package workflows

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Whatever any job may is missed when it is taken away, or is less; and what is more
// than the job needs is found.
func TestNoPermissionIsTooManyOrTooFew(t *testing.T) {
	granted := regexp.MustCompile(`(?m)^      [a-z-]+: (read|write) # .*\n`)
	jobs := regexp.MustCompile(`(?m)^    permissions:( \{\})?\n`)
	other := strings.NewReplacer(": read #", ": write #", ": write #", ": read #")
	planted := 0
	for _, path := range files(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		plant := func(from, to int, fault string) {
			t.Helper()
			planted++
			findings, err := Lint([]byte(string(text[:from]) + fault + string(text[to:])))
			if err != nil || len(findings) == 0 {
				t.Errorf("%s: with %q in place of %q nothing is found, %v", filepath.Base(path), fault, text[from:to], err)
			}
		}
		for _, at := range granted.FindAllIndex(text, -1) {
			plant(at[0], at[1], "")
			plant(at[0], at[1], other.Replace(string(text[at[0]:at[1]])))
		}
		for _, at := range jobs.FindAllIndex(text, -1) {
			plant(at[0], at[1], "    permissions:\n      discussions: write # nothing\n")
		}
	}
	if t.Logf("%d faults were planted", planted); planted == 0 {
		t.Error("none was")
	}
}

// Whatever the event of a pull request is called, a check leaves its comment there.
func TestTheCommentNeedsItsPermission(t *testing.T) {
	for event, want := range map[string]string{
		"pull_request": "write", "pull_request_review": "write", "pull_request_target": "write", "push": "", "merge_group": "",
	} {
		needs, err := step{Uses: yaml.Node{Value: "./"}}.needs([]string{event})
		if err != nil || needs["pull-requests"] != want {
			t.Errorf("on %s: %v, %v", event, needs, err)
		}
	}
}
