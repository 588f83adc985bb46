package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/simulate"
)

// The promise, on a fixed number of releases of each kind: no more false alarms
// than alpha.
func TestHealthyReleasesAreNotFailed(t *testing.T) {
	const releases = 100
	for _, kind := range simulate.Kinds() {
		failed := 0
		for seed := range uint64(releases) {
			if _, alarm := byComparison(simulate.New(kind, simulate.Healthy(), 0.5, seed)); alarm {
				failed++
			}
		}
		if most := int(relative.New("", "").Alpha * releases); failed > most {
			t.Errorf("%s: %d of %d healthy releases were failed, want %d at most", kind.Name, failed, releases, most)
		}
	}
}

// A fault that was planted is found while the release is watched.
func TestFaultsAreFound(t *testing.T) {
	const releases = 20
	for _, kind := range simulate.Kinds() {
		for _, fault := range simulate.Faults() {
			subtle := fault.Errors > 0 && fault.Errors < 0.05 || fault.Slower == 1.5
			if kind.Name == "trickle" && !fault.NoTraffic || kind.Name == "quiet" && (subtle || fault.After > 0) || kind.Name == "bursty" && subtle {
				continue // too little traffic, or too much noise, for so small a fault
			}
			found := 0
			for seed := range uint64(releases) {
				if at, alarm := byComparison(simulate.New(kind, fault, 0.5, seed)); alarm && at > fault.After {
					found++
				}
			}
			if found < releases*6/10 {
				t.Errorf("%s, %s: found in %d of %d releases", kind.Name, fault.Name, found, releases)
			}
		}
	}
}

// Each judge sees what it is made for, so that a row of the table which finds
// nothing says something of the judge, and not of how it is asked.
func TestJudgesSeeWhatTheyAreMadeFor(t *testing.T) {
	worst := simulate.Fault{Name: "worst", Errors: 0.5, Slower: 10}
	for _, route := range routes() {
		made, healthy := simulate.New(simulate.Kinds()[0], worst, route.weight, 1), simulate.New(simulate.Kinds()[0], simulate.Healthy(), route.weight, 1)
		for _, judge := range judges() {
			if at, failed := judge.failed(made); !failed || at > simulate.Watch {
				t.Errorf("%s, %s: half of the requests fail, and it says %v at %s", judge.name, route.name, failed, at)
			}
		}
		if _, failed := byThresholds(healthy); failed {
			t.Errorf("%s: the thresholds fail a healthy release", route.name)
		}
	}
	if rules := thresholds(); len(rules) != 2 {
		t.Errorf("%d rules of the runbook, want 2", len(rules))
	}
	at, _ := byThresholds(simulate.New(simulate.Kinds()[0], worst, 0.5, 1))
	if at < time.Minute || at > 90*time.Second {
		t.Errorf("more than 1 %% for 60 s is found after %s", at)
	}
}

func TestAtMost(t *testing.T) {
	// None of 300 bounds a probability at 1 % with 95 % confidence, and so do 4 of 913.
	for _, test := range []struct {
		some, trials int
		want         float64
	}{{0, 300, 0.00994}, {4, 1000, 0.00913}, {300, 300, 1}} {
		if got := atMost(test.some, test.trials, 0.95); math.Abs(got-test.want) > 1e-4 {
			t.Errorf("%d of %d: at most %v, want %v", test.some, test.trials, got, test.want)
		}
	}
}

// A broken promise is told, and not left out.
func TestTheTableIsReportedEitherWay(t *testing.T) {
	late := simulate.Fault{Name: "late", After: time.Minute}
	alarms := make([]time.Duration, 50)
	some := [][]time.Duration{alarms, nil, nil, nil}
	text := document([]tally{
		{kind: "steady", route: routes()[0], fault: simulate.Healthy(), releases: 1000, alarms: some, before: make([]int, 4)},
		{kind: "bursty", route: routes()[0], fault: simulate.Healthy(), releases: 1000, alarms: make([][]time.Duration, 4), before: make([]int, 4)},
		{kind: "steady", route: routes()[2], fault: late, releases: 100, alarms: [][]time.Duration{{time.Minute, time.Hour}, nil, nil, nil}, before: []int{3, 0, 0, 0}},
	}, options{})
	for _, want := range []string{
		"| half, beside the old colour | steady | 5 % (6.29 %) | 0 % (0.299 %) | 0 % (0.299 %) | 0 % (0.299 %) | **broken** |\n",
		"| half, beside the old colour | bursty | 0 % (0.299 %) |",
		"| kept |\n",
		"| steady | late | 2 % (1h0m0s), 3 % before it | 0 % | 0 % | 0 % |\n",
		"| Route | Traffic | relative gate | fixed thresholds | Kayenta, at the end | Kayenta, each minute | Promise |\n|---|---|---|---|---|---|---|\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}
