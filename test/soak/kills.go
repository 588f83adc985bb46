package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// kills kills a shift and a rollback of every kind of route at every one of
// their points, before and after it lands, and goes on in both ways. It does
// the chosen shard of what has not passed yet.
func kills(ctx context.Context, chosen options, kept *record, write func() error) error {
	part, parts, err := crash.ParseShard(chosen.shard)
	if err != nil {
		return err
	}
	current, err := lab.Attach(chosen.lab)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	place, err := shop.Prepare(ctx, current.Kubeconfig(), folder, chosen.plugin, current)
	if err != nil {
		return err
	}
	for _, driver := range crash.Drivers() {
		try := func(cases []crash.Case, suite *crash.Suite) error {
			return killAll(ctx, driver, suite, crash.Shard(cases, part, parts), kept, write)
		}
		if err := killed(ctx, place, driver, try); err != nil {
			return fmt.Errorf("kill runs of a %s: %w", driver.Name, err)
		}
	}
	return nil
}

// killed opens a shop of a driver, under load, learns the points of its runs
// and hands the whole matrix on.
func killed(ctx context.Context, place *shop.Place, driver crash.Driver, try func([]crash.Case, *crash.Suite) error) error {
	folder, err := os.MkdirTemp("", "soak-"+driver.Name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	opened, err := place.Open(ctx, shop.Options{
		Namespace: "soak-" + driver.Name, Folder: folder, Release: crash.Quick(driver, release.DrainAuto),
		Env: map[string]string{"DB_POOL_SIZE": "6", "DB_POOL_WARM": "true", "DB_CONNECT_TIMEOUT": "15s", "REQUEST_TIMEOUT": "15s"},
	})
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close(context.WithoutCancel(ctx)) }()
	url, err := opened.URL(ctx, "/recommendations?user=anna")
	if err != nil {
		return err
	}
	asking, err := clients.Start(ctx, clients.Options{URL: url, Rate: load, KeepAlive: 5, Fresh: 5, Timeout: 20 * time.Second, Strict: true})
	if err != nil {
		return err
	}
	defer asking.Stop()
	suite, err := crash.Open(ctx, crash.Setting{Driver: driver, Shop: opened, Place: place, Load: asking, Logf: say})
	if err != nil {
		return err
	}
	defer suite.Close()
	// The first shift creates what all others find.
	if _, _, err := suite.Learn(ctx); err != nil {
		return err
	}
	forward, backward, err := suite.Learn(ctx)
	if err != nil {
		return err
	}
	return try(crash.Matrix(forward, backward), suite)
}

// say is what a suite does, a line each.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// killAll tries the cases that have not passed yet, and keeps each.
func killAll(ctx context.Context, driver crash.Driver, suite *crash.Suite, cases []crash.Case, kept *record, write func() error) error {
	for _, found := range cases {
		name := driver.Name + ": " + found.Name
		if kept.done(name) {
			continue
		}
		tried := suite.Try(ctx, found)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line := outcome{Part: name, Passed: tried.Err == nil, Took: tried.Took, Driver: driver.Name, Case: &found}
		if tried.Err != nil {
			line.Detail = tried.Err.Error()
		}
		if err := errors.Join(kept.add(line), write()); err != nil {
			return err
		}
	}
	return nil
}

// killTables shows what came of every kill that was made, of each kind of route
// a table, by the last attempt; failed attempts are told below.
func killTables(outcomes []outcome) string {
	last := map[string]map[string]crash.Outcome{}
	var failures []string
	for _, found := range outcomes {
		if found.Case == nil {
			continue
		}
		tried := crash.Outcome{Case: *found.Case, Took: found.Took}
		if !found.Passed {
			tried.Err = errors.New(found.Detail)
			failures = append(failures, fmt.Sprintf("- %s\n", strings.ReplaceAll(found.Part+": "+found.Detail, "\n", "\n  ")))
		}
		if last[found.Driver] == nil {
			last[found.Driver] = map[string]crash.Outcome{}
		}
		last[found.Driver][found.Part] = tried
	}
	text := strings.Builder{}
	for _, driver := range slices.Sorted(maps.Keys(last)) {
		fmt.Fprintf(&text, "\n## Killed runs of a %s: %d cases\n\n%s", driver, len(last[driver]), crash.Table(inOrder(outcomes, last[driver])))
	}
	if len(failures) > 0 {
		fmt.Fprintf(&text, "\nAttempts that failed:\n\n%s", strings.Join(failures, ""))
	}
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
