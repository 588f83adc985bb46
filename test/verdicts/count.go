package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/gonum/mathext"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/simulate"
)

// route is how traffic is moved: what the new colour gets, and so with what it
// can be compared.
type route struct {
	name   string
	weight float64
}

// routes are half and a tenth of the traffic by weights, and an atomic switch.
func routes() []route {
	return []route{{"half, beside the old colour", 0.5}, {"a tenth, beside the old colour", 0.1}, {"all at once, against the minutes before", 1}}
}

// tally is what each judge said of the releases of one kind, route and fault.
type tally struct {
	kind     string
	route    route
	fault    simulate.Fault
	releases int
	// alarms are the times from the beginning of the fault, of each judge, in
	// the order of judges; before counts those that were raised before it.
	alarms [][]time.Duration
	before []int
}

// firstSeed is that of the releases that are counted. The gate's constants were
// chosen on others, from 1 000 000 on.
const firstSeed = 5_000_000

// count lets every judge look at every release.
func count(ctx context.Context, healthy, faulty int) ([]tally, error) {
	var counted []tally
	for _, route := range routes() {
		for _, kind := range simulate.Kinds() {
			for _, fault := range append([]simulate.Fault{simulate.Healthy()}, simulate.Faults()...) {
				releases := faulty
				if fault == simulate.Healthy() {
					releases = healthy
				}
				if err := ctx.Err(); err != nil {
					return nil, fmt.Errorf("count the verdicts: %w", err)
				}
				counted = append(counted, ask(kind, route, fault, releases))
			}
		}
	}
	return counted, nil
}

// ask lets every judge look at some releases of one sort.
func ask(kind simulate.Kind, route route, fault simulate.Fault, releases int) tally {
	all := judges()
	asked := tally{kind: kind.Name, route: route, fault: fault, releases: releases, alarms: make([][]time.Duration, len(all)), before: make([]int, len(all))}
	for seed := range releases {
		made := simulate.New(kind, fault, route.weight, uint64(firstSeed+seed))
		for i, judge := range all {
			at, failed := judge.failed(made)
			switch {
			case !failed:
			case at <= fault.After:
				asked.before[i]++
			default:
				asked.alarms[i] = append(asked.alarms[i], at-fault.After)
			}
		}
	}
	for i := range asked.alarms {
		slices.Sort(asked.alarms[i])
	}
	return asked
}

// median is the delay of half of the alarms of a judge.
func (t tally) median(judge int) time.Duration { return t.alarms[judge][len(t.alarms[judge])/2] }

// atMost is the upper bound of Clopper and Pearson (Biometrika 26, 1934) for a
// probability, of which some of so many trials came true: with so much
// confidence it isn't larger.
func atMost(some, trials int, confidence float64) float64 {
	if some == trials {
		return 1
	}
	return mathext.InvRegIncBeta(float64(some+1), float64(trials-some), confidence)
}
