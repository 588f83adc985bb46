package main

import (
	"strings"
	"testing"
	"time"
)

// A promise is broken by the ratio of the medians, not by one slow run.
func TestVerdictHoldsMediansAgainstTheLimit(t *testing.T) {
	second := time.Second
	kept := comparison{name: "start", beside: "kubectl", limit: 2,
		ours: []time.Duration{90 * second, second, 2 * second}, theirs: []time.Duration{second, second, second}}
	broken := comparison{name: "shift", beside: "kubectl patch", limit: 1.3,
		ours: []time.Duration{3 * second, second, 2 * second}, theirs: []time.Duration{second, second, second}}
	if err := verdict([]comparison{kept}); err != nil {
		t.Errorf("a ratio at its limit is an error: %v", err)
	}
	err := verdict([]comparison{kept, broken})
	if err == nil || !strings.Contains(err.Error(), "shift takes 2.00 times as long as kubectl patch, promised is at most 1.3") ||
		strings.Contains(err.Error(), "start takes") {
		t.Errorf("verdict = %v, want shift alone named", err)
	}
}
