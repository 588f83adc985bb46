package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// landing bounds the wait for a first answer of the other colour.
const landing = 2 * time.Minute

// quick leaves out of a shift what comes after the switch.
func quick(document *release.Release) {
	document.Spec.Traffic.Watch = release.Duration(time.Second)
	document.Spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(time.Second)}}
	document.Spec.Traffic.Drain = release.DrainNone
	for index := range document.Spec.Gates.Rules {
		document.Spec.Gates.Rules[index].Disabled = true // nobody sends requests here
	}
	document.Spec.Gates.Rules = append(document.Spec.Gates.Rules, release.RuleOverride{ID: "advance-request-parity", Disabled: true})
	document.Spec.Gates.Rules = unique(document.Spec.Gates.Rules)
}

// unique keeps the first override of each rule.
func unique(overrides []release.RuleOverride) []release.RuleOverride {
	seen := map[string]bool{}
	var kept []release.RuleOverride
	for _, override := range overrides {
		if !seen[override.ID] {
			seen[override.ID] = true
			kept = append(kept, override)
		}
	}
	return kept
}

// moves switches the production Service there and back, with kubectl patch
// and with shift in turn, and takes the time from the beginning of the switch
// until a new connection lands on the other colour. What shift checks before
// it writes is not counted; its journal says when that ended.
func moves(ctx context.Context, opened *shop.Shop, runs int) (comparison, error) {
	measured := comparison{name: "shift, from the end of its checks", beside: "kubectl patch", limit: 1.3}
	for range runs {
		theirs, err := patched(ctx, opened, shop.Green)
		if err != nil {
			return measured, err
		}
		if _, err := patched(ctx, opened, shop.Blue); err != nil {
			return measured, err
		}
		ours, err := shifted(ctx, opened, shop.Green)
		if err != nil {
			return measured, err
		}
		if _, err := patched(ctx, opened, shop.Blue); err != nil {
			return measured, err
		}
		measured.ours, measured.theirs = append(measured.ours, ours), append(measured.theirs, theirs)
	}
	return measured, nil
}

// patched switches by hand.
func patched(ctx context.Context, opened *shop.Shop, color string) (time.Duration, error) {
	landed := watch(ctx, opened, color)
	began := time.Now()
	patch := fmt.Sprintf(`{"spec":{"selector":{"version":%q}}}`, color)
	output, err := exec.CommandContext(ctx, "kubectl", "-n", opened.Namespace, "patch", "service", "svc-production", "-p", patch).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("patch service: %w: %s", err, output)
	}
	first := <-landed
	return first.at.Sub(began), first.err
}

// shifted switches with the program under test.
func shifted(ctx context.Context, opened *shop.Shop, color string) (time.Duration, error) {
	landed := watch(ctx, opened, color)
	result, err := opened.Run(ctx, "shift", "--to", color, "-o", "json")
	if err != nil {
		return 0, err
	}
	if result.Code != rollout.CodeDone {
		return 0, fmt.Errorf("shift to %s: exit code %d: %s", color, result.Code, result.Stderr)
	}
	status, err := result.Status()
	if err != nil {
		return 0, err
	}
	first := <-landed
	for _, entry := range status.Entries {
		if entry.Kind == journal.Transition && entry.Action == "hold-floor → switch" {
			return first.at.Sub(entry.Time), first.err
		}
	}
	return 0, errors.New("the journal of the shift has no transition to switch")
}

// landed is when a fresh connection was first answered by a colour.
type landed struct {
	at  time.Time
	err error
}

// watch opens a new connection every few milliseconds until a colour answers.
func watch(ctx context.Context, opened *shop.Shop, color string) <-chan landed {
	found := make(chan landed, 1)
	ctx, cancel := context.WithTimeout(ctx, landing)
	go func() {
		defer cancel()
		url, err := opened.URL(ctx, "/live")
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
		for err == nil {
			if answered(ctx, client, url) == color {
				found <- landed{at: time.Now()}
				return
			}
			select {
			case <-ctx.Done():
				err = fmt.Errorf("wait for an answer of %s: %w", color, ctx.Err())
			case <-time.After(2 * time.Millisecond):
			}
		}
		found <- landed{err: err}
	}()
	return found
}

// answered is the colour that answers one request, "" when none does.
func answered(ctx context.Context, client *http.Client, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return ""
	}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	_ = response.Body.Close()
	return response.Header.Get("X-Color")
}
