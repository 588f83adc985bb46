package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// load is in requests per second, over both kinds of clients.
const load = 100

// releases runs the A/A comparison and the healthy releases.
func releases(ctx context.Context, chosen options, kept *keeper) error {
	if len(outstanding(chosen.releases, kept)) == 0 {
		return nil
	}
	current, err := lab.Attach(chosen.lab)
	if err != nil {
		return err
	}
	opened, err := shop.OpenAlone(ctx, current.Kubeconfig(), chosen.plugin, current, shop.Options{Namespace: "soak", GreenByHand: true,
		Green: shop.Slot{Version: "v2.4.0"}, Env: map[string]string{"DB_POOL_SIZE": "6"}})
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close(context.WithoutCancel(ctx)) }()
	limits, err := compared(ctx, opened, kept)
	if err != nil {
		return err
	}
	if err := opened.ChangeRelease(with(limits)); err != nil {
		return err
	}
	return repeat(ctx, outstanding(chosen.releases, kept), opened, kept)
}

// outstanding are the names of the releases that have not passed yet.
func outstanding(times int, kept passed) []string {
	var names []string
	for number := range times {
		if name := fmt.Sprintf("healthy release %d", number+1); !kept.done(name) {
			names = append(names, name)
		}
	}
	return names
}

// with sets the thresholds of the A/A run.
func with(limits thresholds) func(*release.Release) {
	return func(document *release.Release) {
		for index, rule := range document.Spec.Gates.Rules {
			if rule.ID == "rollback-latency-p95" {
				document.Spec.Gates.Rules[index].Threshold = ptr.To(limits.P95)
			}
		}
	}
}

// ask puts load on a Service until it is stopped. Every answer but a 2xx, and
// every broken connection, is a lost request.
func ask(ctx context.Context, opened *shop.Shop, service string, rate int) (*clients.Run, error) {
	url, err := opened.ServiceURL(ctx, service, "/recommendations?user=anna")
	if err != nil {
		return nil, err
	}
	return clients.Start(ctx, clients.Options{URL: url, Rate: rate, KeepAlive: 5, Fresh: 5, Timeout: 15 * time.Second, Strict: true})
}

// repeat shifts to and fro under load; every release is healthy.
func repeat(ctx context.Context, names []string, opened *shop.Shop, kept *keeper) error {
	run, err := ask(ctx, opened, "svc-production", load)
	if err != nil {
		return err
	}
	defer run.Stop()
	before := run.Counts()
	for _, name := range names {
		result, err := opened.Run(ctx, "shift", "-o", "json")
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err() // what an interrupt ended says nothing
		}
		now := run.Counts()
		if err := kept.add(released(name, result, now.Since(before))); err != nil {
			return err
		}
		before = now
	}
	if left := run.Stop().Since(before); left.Failed > 0 {
		return fmt.Errorf("%d requests were lost after the last release, the first: %s", left.Failed, left.Failures[0].Detail)
	}
	return nil
}

// released is what came of one release, and of the requests that were sent
// since the one before it. One that is lost is the release's.
func released(name string, result shop.Result, counts clients.Counts) outcome {
	detail := fmt.Sprintf("exit code %d", result.Code)
	if status, err := result.Status(); err == nil && status.Reason != "" {
		detail += ": " + status.Reason
	}
	return outcome{
		Part: name, Took: result.Took, Detail: detail + "; " + told(counts),
		Passed: result.Code == rollout.CodeDone && counts.Failed == 0 && counts.Requests > 0,
	}
}

// told says what came of requests.
func told(counts clients.Counts) string {
	text := fmt.Sprintf("%d requests, %d lost", counts.Requests, counts.Failed)
	if len(counts.Failures) > 0 {
		text += ", the first: " + counts.Failures[0].Detail
	}
	return text
}
