package main

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSecond(t *testing.T) {
	got, ok, err := parseSecond("08:30:10 requests=123 failed=2 versions=map[:1 v2.4.0:98 v2.6.0:24] connections=65")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	want := second{requests: 123, failed: 2, versions: map[string]int{"": 1, "v2.4.0": 98, "v2.6.0": 24}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(second{})); diff != "" {
		t.Errorf("second (-want +got):\n%s", diff)
	}
	if _, ok, err := parseSecond("{"); ok || err != nil {
		t.Errorf("another line: %v, %v", ok, err)
	}
	if _, _, err := parseSecond("08:30:10 requests=1 failed=0 versions=map[v2.4.0:many] connections=1"); err == nil {
		t.Error("nonsense was taken for a count")
	}
}

func TestTimeline(t *testing.T) {
	seen := timeline{
		{requests: 10, versions: map[string]int{"v1": 10}},
		{requests: 10, failed: 1, versions: map[string]int{"v1": 5, "v2": 5}},
		{requests: 10, versions: map[string]int{"v1": 10}},
		{requests: 10, failed: 2, versions: map[string]int{"v1": 9, "v2": 1}},
		{requests: 10, versions: map[string]int{"v1": 10}},
		{requests: 10, versions: map[string]int{"v1": 10}},
	}
	if seen.requests() != 60 || seen.failed() != 3 || seen.versions()["v2"] != 6 {
		t.Errorf("%d requests, %d failed, %v", seen.requests(), seen.failed(), seen.versions())
	}
	if got := seen.spell("v2"); got != 3 {
		t.Errorf("v2 answered for %d s, want 3", got)
	}
	if got := seen.spell("v3"); got != 0 {
		t.Errorf("v3 answered for %d s", got)
	}
	if !seen.onlyLast(2, "v1") || seen.onlyLast(3, "v1") || seen.onlyLast(2, "v2") || seen.onlyLast(7, "v1") {
		t.Error("who alone answered last is wrong")
	}
}

func TestLoadFollowsTheLog(t *testing.T) {
	log := strings.Repeat("08:30:10 requests=5 failed=1 versions=map[v1:5] connections=1\n", 3) + "error: out of sockets\n"
	l := &load{changed: make(chan struct{})}
	l.follow(io.NopCloser(strings.NewReader(log)))
	if count, err := l.settle(t.Context(), 0); err != nil || count != 3 {
		t.Fatalf("settle = %d, %v", count, err)
	}
	if seen := l.between(1, 3); seen.requests() != 10 || seen.failed() != 2 {
		t.Errorf("the last two seconds are %+v", seen)
	}
	if _, err := l.settle(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "out of sockets") {
		t.Errorf("clients that ended: %v", err)
	}
}
