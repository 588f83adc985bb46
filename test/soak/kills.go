package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// kills kills a shift and a rollback of every chosen kind of route at every one
// of their points, before and after it lands, and goes on in both ways. It does
// the chosen shard of the chosen selection of what has not passed yet, in several
// lanes at once.
func kills(ctx context.Context, chosen options, kept *keeper) error {
	drivers, err := chosen.drivers()
	if err != nil {
		return err
	}
	for _, driver := range drivers {
		what := work{name: "kills", driver: driver}
		what.release = func(int) func(*release.Release) { return driver.Quick(release.DrainAuto) }
		what.do = func(ctx context.Context, lanes []*lane) error { return killed(ctx, chosen, lanes, kept) }
		if err := inLanes(ctx, chosen, what); err != nil {
			return fmt.Errorf("kill runs of a %s: %w", driver.Name, err)
		}
	}
	return nil
}

// drivers are the kinds of routes whose runs are killed.
func (o options) drivers() ([]crash.Driver, error) {
	wanted, err := regexp.Compile(o.wanted)
	if err != nil {
		return nil, fmt.Errorf("read --drivers: %w", err)
	}
	drivers := slices.DeleteFunc(crash.Drivers(), func(driver crash.Driver) bool { return !wanted.MatchString(driver.Name) })
	if len(drivers) == 0 {
		return nil, fmt.Errorf("--drivers %q: no kind of route is called so", o.wanted)
	}
	return drivers, nil
}

// killed learns the points of the runs, in every lane, and shares out the cases
// that have not passed yet. A lane has those that follow each other, so that a
// colour which one leaves in production is that with which the next begins.
func killed(ctx context.Context, chosen options, lanes []*lane, kept *keeper) error {
	matrices := make([][]crash.Case, len(lanes))
	suites := make([]*crash.Suite, len(lanes))
	if err := each(ctx, lanes, func(_ context.Context, its *lane) (err error) {
		// The proxies outlive this step.
		suites[its.number], err = crash.Open(ctx, crash.Setting{Driver: its.driver, Shop: its.shop, Place: its.place, Load: its.load, Logf: its.logf})
		return err
	}); err != nil {
		return err
	}
	defer func() {
		for _, suite := range suites {
			suite.Close()
		}
	}()
	if err := each(ctx, lanes, func(ctx context.Context, its *lane) (err error) {
		matrices[its.number], err = learned(ctx, suites[its.number])
		return err
	}); err != nil {
		return err
	}
	matrix := joined(matrices)
	cases, err := unkilled(matrix, chosen, lanes[0].driver, kept)
	if err != nil {
		return err
	}
	fmt.Printf("%d cases of %d are left\n", len(cases), len(matrix))
	return each(ctx, lanes, func(ctx context.Context, its *lane) error {
		return killAll(ctx, its.driver, suites[its.number], crash.Shard(cases, its.number+1, len(lanes)), len(matrix), kept)
	})
}

// learned is the whole matrix of a suite. What is learned without a kill is held
// to the same as the kills are.
func learned(ctx context.Context, suite *crash.Suite) ([]crash.Case, error) {
	// The first shift creates what all others find.
	if _, _, err := suite.Learn(ctx); err != nil {
		return nil, err
	}
	forward, backward, err := suite.Learn(ctx)
	if err != nil {
		return nil, err
	}
	return crash.Matrix(forward, backward), suite.Refusals().Err()
}

// unkilled are the cases of the chosen shard of the chosen selection that have
// not passed yet.
func unkilled(matrix []crash.Case, chosen options, driver crash.Driver, kept passed) ([]crash.Case, error) {
	part, parts, err := crash.ParseShard(chosen.shard)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(crash.Shard(crash.Sample(matrix, chosen.sample), part, parts), func(found crash.Case) bool {
		return kept.done(caseName(driver, found))
	}), nil
}

// joined is every case of the matrices once, those of the first matrix first:
// how many pods a drain evicts, and so how often a run comes to that point, is
// for the clients to say, and a kill is at the first time anyway. A case that
// the runs of one lane alone have come to is tried in whichever lane, and fails
// where they don't come there.
func joined(matrices [][]crash.Case) []crash.Case {
	var all []crash.Case
	known := map[string]bool{}
	for _, found := range slices.Concat(matrices...) {
		if !known[found.Name] {
			known[found.Name] = true
			all = append(all, found)
		}
	}
	return all
}

// caseName is a case as the record keeps it.
func caseName(driver crash.Driver, found crash.Case) string { return driver.Name + ": " + found.Name }

// killAll tries cases of a matrix of so many, and keeps each.
func killAll(ctx context.Context, driver crash.Driver, suite *crash.Suite, cases []crash.Case, of int, kept *keeper) error {
	for _, found := range cases {
		tried := suite.Try(ctx, found)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line := outcome{Part: caseName(driver, found), Passed: tried.Err == nil, Took: tried.Took, Driver: driver.Name, Case: &found, Of: of, Refused: tried.Refused, Missed: tried.Missed}
		if tried.Err != nil {
			line.Detail = tried.Err.Error()
		}
		if err := kept.add(line); err != nil {
			return err
		}
	}
	return nil
}

// killTables shows what came of every kill that was made, of each kind of route
// a table, by the last attempt, and how many cases there are; failed attempts are
// told below.
func killTables(outcomes []outcome) string {
	last, all, made := map[string]map[string]crash.Outcome{}, map[string]int{}, map[string][]outcome{}
	for _, found := range ofKind(outcomes, killKind) {
		all[found.Driver] = max(all[found.Driver], found.Of)
		made[found.Driver] = append(made[found.Driver], found)
		tried := crash.Outcome{Case: *found.Case, Took: found.Took, Missed: found.Missed}
		if !found.Passed {
			tried.Err = errors.New(found.Detail)
		}
		if last[found.Driver] == nil {
			last[found.Driver] = map[string]crash.Outcome{}
		}
		last[found.Driver][found.Part] = tried
	}
	text := strings.Builder{}
	for _, driver := range slices.Sorted(maps.Keys(last)) {
		tried := fmt.Sprint(len(last[driver]))
		if all[driver] > 0 {
			tried += fmt.Sprintf(" of %d", max(all[driver], len(last[driver])))
		}
		fmt.Fprintf(&text, "\n## Killed runs of a %s: %s cases, at commit %s\n\n%s", driver, tried, commits(made[driver]), crash.Table(inOrder(outcomes, last[driver])))
	}
	text.WriteString(refusalsTold(ofKind(outcomes, killKind)))
	text.WriteString(attempts(ofKind(outcomes, killKind), func(found outcome) string { return found.Part + ": " + found.Detail }))
	return text.String()
}

// inOrder are the outcomes in the order in which their parts were first tried.
func inOrder(outcomes []outcome, last map[string]crash.Outcome) []crash.Outcome {
	var ordered []crash.Outcome
	seen := map[string]bool{}
	for _, found := range outcomes {
		if tried, its := last[found.Part]; its && !seen[found.Part] {
			seen[found.Part] = true
			ordered = append(ordered, tried)
		}
	}
	return ordered
}
