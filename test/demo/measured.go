package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// needsRequests are the checks that look at what Prometheus has of the live
// colour: its series, and whether they show enough requests to judge by.
func needsRequests() []string { return []string{"BG-MON-01", "BG-MON-06"} }

// measuredWithin bounds the wait for Prometheus: many times what its scrapes
// and the shortest window of the gate's rules take.
const measuredWithin = time.Minute

// awaitMeasured waits until Prometheus shows the load. A shop has served for
// weeks when it releases; this one has for seconds, of which a busy machine may
// have scraped none. Should it never come to that, the first chapter tells why.
func (s *story) awaitMeasured(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, time.Second, measuredWithin, true, func(ctx context.Context) (bool, error) {
		text, err := s.terminal.read(ctx, "bluegreen", "check", "-o", "json")
		if err != nil {
			return false, err
		}
		report := &preflight.Report{}
		if err := json.Unmarshal(text, report); err != nil {
			return false, fmt.Errorf("read CheckReport: %w", err)
		}
		return measured(report), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return nil
	}
	return err
}

// measured reports whether a report finds the load in the metrics.
func measured(report *preflight.Report) bool {
	found := false
	for _, finding := range report.Findings {
		if !slices.Contains(needsRequests(), finding.ID) || finding.Outcome == preflight.Skip {
			continue
		}
		if finding.Outcome != preflight.Pass {
			return false
		}
		found = true
	}
	return found
}
