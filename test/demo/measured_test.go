package main

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

func TestTheStoryBeginsWhenTheLoadIsMeasured(t *testing.T) {
	of := func(id string, outcome preflight.Outcome) preflight.Finding {
		return preflight.Finding{ID: id, Outcome: outcome}
	}
	for name, c := range map[string]struct {
		findings []preflight.Finding
		want     bool
	}{
		"nothing was looked at":        {nil, false},
		"no series of blue yet":        {[]preflight.Finding{of("BG-MON-01", preflight.Fail), of("BG-MON-06", preflight.Pass)}, false},
		"prometheus does not answer":   {[]preflight.Finding{of("BG-MON-01", preflight.Unknown)}, false},
		"too few requests were seen":   {[]preflight.Finding{of("BG-MON-01", preflight.Pass), of("BG-MON-06", preflight.Warn)}, false},
		"all of blue, green is to run": {[]preflight.Finding{of("BG-MON-01", preflight.Pass), of("BG-MON-01", preflight.Skip), of("BG-MON-06", preflight.Pass)}, true},
		"others are no matter":         {[]preflight.Finding{of("BG-DB-03", preflight.Fail), of("BG-MON-01", preflight.Pass), of("BG-MON-06", preflight.Pass)}, true},
	} {
		if got := measured(&preflight.Report{Findings: c.findings}); got != c.want {
			t.Errorf("%s: measured = %v, want %v", name, got, c.want)
		}
	}
}

// A check that is called otherwise would make the story wait for nothing.
func TestTheStoryWaitsForChecksThatExist(t *testing.T) {
	ids := map[string]bool{}
	for _, check := range preflight.Catalogue() {
		ids[check.ID] = true
	}
	for _, id := range needsRequests() {
		if !ids[id] {
			t.Errorf("there is no check %s", id)
		}
	}
}
