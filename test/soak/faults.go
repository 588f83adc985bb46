package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/faults"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// perShop is how many faults are made in one shop.
const perShop = 12

// promise is what the record calls a fault in a phase. What is promised is part
// of the name: where a row of the table has changed, its cases are done again.
func promise(found faults.Case) string {
	ends := found.Row.Ends
	return fmt.Sprintf("fault: %s → %d, %s, %s", found.Name(), ends.Code, ends.Phase, ends.Traffic)
}

// breakEverything makes every fault of the table in every phase of a run that
// has not passed yet, in several shops at once. What harms everybody is made
// last, alone.
func breakEverything(ctx context.Context, chosen options, kept *keeper) error {
	part, parts, err := crash.ParseShard(chosen.shard)
	if err != nil {
		return err
	}
	rows, err := faults.ReadTable(filepath.Join("..", "docs", "faults.md"))
	if err == nil {
		err = faults.Check(rows)
	}
	if err != nil {
		return err
	}
	wanted, err := regexp.Compile(chosen.faults)
	if err != nil {
		return fmt.Errorf("read --faults: %w", err)
	}
	cases := slices.DeleteFunc(crash.Shard(faults.Matrix(rows), part, parts), func(found faults.Case) bool {
		return !wanted.MatchString(found.Name()) || kept.done(promise(found))
	})
	if len(cases) == 0 {
		return nil
	}
	return atPlace(ctx, chosen, func(current *lab.Lab, place *shop.Place) error {
		return breakAll(ctx, current, place, chosen.lanes, cases, kept)
	})
}

// breakAll makes the faults of cases, as many shops at once as there are lanes.
func breakAll(ctx context.Context, current *lab.Lab, place *shop.Place, lanes int, cases []faults.Case, kept *keeper) error {
	working, within := errgroup.WithContext(ctx)
	working.SetLimit(lanes)
	for number, group := range portions(cases) {
		working.Go(func() error { return breakIn(within, current, place, number, group, kept) })
	}
	if err := working.Wait(); err != nil {
		return err
	}
	everybody := faults.Group{Name: "everybody", Dependency: faults.APIServer, Cases: faults.Everybody(cases)}
	if len(everybody.Cases) == 0 {
		return nil
	}
	return breakIn(ctx, current, place, len(cases), everybody, kept)
}

// portions are the groups of the cases, in portions for one shop each.
func portions(cases []faults.Case) []faults.Group {
	var all []faults.Group
	for _, group := range faults.Groups(cases) {
		for portion := range slices.Chunk(group.Cases, perShop) {
			all = append(all, faults.Group{Name: group.Name, Dependency: group.Dependency, Cases: portion})
		}
	}
	return all
}

// breakIn makes the faults of a group in a shop of their own.
func breakIn(ctx context.Context, current *lab.Lab, place *shop.Place, number int, group faults.Group, kept *keeper) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	opened, err := place.Open(ctx, shop.Options{
		Namespace: fmt.Sprintf("soak-faults-%d", number+1), Folder: folder, Release: faults.Quick, Env: faults.Environment(),
	})
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close(context.WithoutCancel(ctx)) }()
	url, err := opened.URL(ctx, "/recommendations?user=anna")
	if err != nil {
		return err
	}
	asking, err := clients.Start(ctx, clients.Options{URL: url, Rate: faults.Rate, KeepAlive: 2, Fresh: 2, Timeout: 20 * time.Second, Strict: true})
	if err != nil {
		return err
	}
	defer asking.Stop()
	suite, err := faults.Open(ctx, group.Dependency, faults.Setting{Shop: opened, Place: place, Lab: current, Load: asking, Logf: func(string, ...any) {}})
	if err != nil {
		return err
	}
	defer suite.Close()
	for _, found := range group.Cases {
		tried := suite.Try(ctx, found)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line := outcome{Part: promise(found), Passed: tried.Err == nil, Took: tried.Took, Fault: found.Fault.String(), Stretch: faults.StretchOf(found.Phase), Refused: tried.Refused}
		if tried.Err != nil {
			line.Detail = tried.Err.Error()
		}
		if err := kept.add(line); err != nil {
			return err
		}
	}
	return nil
}

// faultTable shows how many phases each fault was made in, of each stretch of a
// run, by the last attempt; failed attempts are told below.
func faultTable(outcomes []outcome) string {
	last, order := map[string]outcome{}, []string{}
	for _, found := range ofKind(outcomes, faultKind) {
		last[found.Part] = found
		if !slices.Contains(order, found.Fault) {
			order = append(order, found.Fault)
		}
	}
	if len(last) == 0 {
		return ""
	}
	slices.Sort(order)
	text := strings.Builder{}
	fmt.Fprintf(&text, "\n## Faults\n\n%d faults in phases of a run, at commit %s, as [the table](faults.md) promises. Each cell: phases that passed, of those tried.\n\n", len(last), commits(ofKind(outcomes, faultKind)))
	fmt.Fprintf(&text, "| Fault | %s |\n|---|%s\n", strings.Join(faults.Stretches(), " | "), strings.Repeat("---|", len(faults.Stretches())))
	for _, name := range order {
		fmt.Fprintf(&text, "| %s |", name)
		for _, stretch := range faults.Stretches() {
			passed, tried := 0, 0
			for _, found := range last {
				if found.Fault == name && found.Stretch == stretch {
					tried++
					if found.Passed {
						passed++
					}
				}
			}
			fmt.Fprintf(&text, " %d of %d |", passed, tried)
		}
		text.WriteString("\n")
	}
	text.WriteString(refusalsTold(ofKind(outcomes, faultKind)))
	text.WriteString(attempts(ofKind(outcomes, faultKind), func(found outcome) string { return found.Detail }))
	return text.String()
}
