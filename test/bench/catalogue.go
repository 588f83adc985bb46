package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// How full a cluster the checks are tried in: pods beside the release's in its own
// namespace, and those of everybody else.
const (
	neighbours = 496
	strangers  = 5000
)

// requests are what one run of a program asked an API server for.
type requests struct {
	mutex   sync.Mutex
	begun   map[*interpose.Exchange]time.Time
	count   int
	bytes   int
	slowest time.Duration
	which   string
	// unselected are the lists of pods that nothing narrows down.
	unselected []string
}

// see is an interpose.Hook that lets everything pass.
func (r *requests) see(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if exchange.Stage == interpose.Arriving {
		r.begun[exchange] = time.Now()
		return interpose.Pass()
	}
	r.count++
	r.bytes += len(exchange.Answer)
	if took := time.Since(r.begun[exchange]); took > r.slowest {
		r.slowest, r.which = took, exchange.String()
	}
	if exchange.Verb == "list" && exchange.Resource == "pods" && !selects(exchange.Query) {
		r.unselected = append(r.unselected, exchange.Path+"?"+exchange.Query)
	}
	return interpose.Pass()
}

// selects reports whether a list asks for some of a kind only.
func selects(query string) bool {
	values, err := url.ParseQuery(query)
	return err == nil && (values.Get("labelSelector") != "" || values.Get("fieldSelector") != "")
}

// check is one run of the checks.
type check struct {
	took, slowest time.Duration
	which         string
	requests      int
	bytes         int
	// memory is the most that the process had, in bytes.
	memory int64
}

// crowded runs the checks in a cluster as it is, and in one with a crowd.
func crowded(ctx context.Context, opened *shop.Shop, kubeconfig, plugin string, runs int) (alone, beside []check, err error) {
	if alone, err = checks(ctx, opened, kubeconfig, plugin, runs); err != nil {
		return nil, nil, err
	}
	gathered, err := gather(ctx, opened.Client().Kubernetes, map[string]int{opened.Namespace: neighbours, "bench-crowd": strangers})
	defer gathered.disperse(context.WithoutCancel(ctx))
	if err != nil {
		return nil, nil, err
	}
	beside, err = checks(ctx, opened, kubeconfig, plugin, runs)
	return alone, beside, err
}

// checks runs the checks several times, the first of which doesn't count.
func checks(ctx context.Context, opened *shop.Shop, kubeconfig, plugin string, runs int) ([]check, error) {
	proxy, err := interpose.Start(ctx, kubeconfig, opened.Folder)
	if err != nil {
		return nil, err
	}
	defer proxy.Close()
	var found []check
	for run := range runs + 1 {
		asked := &requests{begun: map[*interpose.Exchange]time.Time{}}
		remove := proxy.Use(asked.see)
		one, err := checked(ctx, opened, proxy.Kubeconfig(), plugin)
		remove()
		if err != nil {
			return nil, err
		}
		if len(asked.unselected) > 0 {
			return nil, fmt.Errorf("run the checks: pods were listed that have nothing to do with the release: %s", strings.Join(asked.unselected, ", "))
		}
		one.requests, one.bytes, one.slowest, one.which = asked.count, asked.bytes, asked.slowest, asked.which
		if run > 0 {
			found = append(found, one)
		}
	}
	return found, nil
}

// checked runs the checks once.
func checked(ctx context.Context, opened *shop.Shop, kubeconfig, plugin string) (check, error) {
	command := exec.CommandContext(ctx, plugin, "check", "-o", "json", "--kubeconfig", kubeconfig)
	command.Dir = opened.Folder
	command.Env = append(os.Environ(), "NO_COLOR=1")
	var complaint bytes.Buffer
	command.Stderr = &complaint
	began := time.Now()
	err := command.Run()
	found := check{took: time.Since(began)}
	var ended *exec.ExitError
	const blocked = 2 // nobody sends requests here, so that some checks have nothing to go by
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != blocked) {
		return found, fmt.Errorf("run the checks: %w\n%s", err, complaint.String())
	}
	if usage, known := command.ProcessState.SysUsage().(*syscall.Rusage); known {
		found.memory = usage.Maxrss << 10 // Linux counts in KiB
	}
	return found, nil
}

// crowdTable is what became of the checks, for people.
func crowdTable(alone, beside []check) string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "\n## The checks in a full cluster\n\n`check` at stage deploy, %d runs each: in a cluster that has little but the release, and beside %d pods in the\n"+
		"release's own namespace and %d of others, on %d nodes that no kubelet runs. No run listed pods without a selector. The\nratio is that of the whole command's time to its slowest single request's, which went through a proxy that took the time.\n"+
		"No Prometheus is declared, so the pods' own counters are read twice for a rate: 1.5 s of the time lie between the two.\n\n"+
		"| | Took (median) | Slowest request (median) | Ratio | Requests | Answers | Peak memory |\n|---|---|---|---|---|---|---|\n", len(beside), neighbours, strangers, crowdNodes)
	for _, row := range []struct {
		name   string
		checks []check
	}{{"little else", alone}, {"a full cluster", beside}} {
		took, slowest, most := middle(row.checks)
		last := row.checks[len(row.checks)-1]
		fmt.Fprintf(&text, "| %s | %s | %s (`%s`) | %.1f | %d | %d KiB | %d MiB |\n", row.name, short(took), short(slowest), last.which,
			float64(took)/float64(slowest), last.requests, last.bytes>>10, most>>20)
	}
	return text.String()
}

// middle are the medians of the times, and the most memory of all.
func middle(checks []check) (took, slowest time.Duration, memory int64) {
	var all, singles []time.Duration
	for _, one := range checks {
		all, singles, memory = append(all, one.took), append(singles, one.slowest), max(memory, one.memory)
	}
	slices.Sort(all)
	slices.Sort(singles)
	return median(all), median(singles), memory
}
