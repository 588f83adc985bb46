package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/runner"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// moments are at how many points of a shift, evenly spread over it, a workflow is
// cancelled.
const moments = 10

// guardImage is what the image of the program under test is called.
const guardImage = "bluegreen.dev/kubectl-bluegreen:soak"

// cancelPatience bounds the wait for a run that was cancelled to end.
const cancelPatience = 5 * time.Minute

// policy is what becomes of a shift whose workflow is cancelled.
type policy struct {
	name, onCancel string
	// guard is the policy of a guard, "" without one.
	guard string
	// color gets everything, where anything was moved and the shift had not ended.
	color string
}

func policies() []policy {
	return []policy{
		{"rollback", "rollback", "", shop.Blue},
		{"handover to a guard that rolls back", "handover", "rollback", shop.Blue},
		{"handover to a guard that continues", "handover", "continue", shop.Green},
	}
}

// cancelling is a shop whose workflow is cancelled again and again.
type cancelling struct {
	place  *shop.Place
	shop   *shop.Shop
	engine string
	load   *clients.Run
	// length is how long a shift takes that nobody cancels.
	length time.Duration
	former string
}

// cancels cancels a workflow at every moment, by each policy.
func cancels(ctx context.Context, chosen options, kept *keeper) error {
	return atPlace(ctx, chosen, func(current *lab.Lab, place *shop.Place) error {
		folder, err := os.MkdirTemp("", "soak-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		c := &cancelling{place: place, engine: filepath.Join(folder, "bluegreen-action")}
		if err := compile.Static(ctx, place.Source, "./cmd/bluegreen-action", c.engine); err != nil {
			return err
		}
		if err := current.LoadBinary(ctx, guardImage, place.Plugin); err != nil {
			return err
		}
		checkout := filepath.Join(folder, "checkout")
		if c.shop, err = place.Open(ctx, shop.Options{Namespace: "cancels", Folder: checkout, Route: shop.HTTPRoute, Release: slowly,
			Env: map[string]string{"DB_POOL_SIZE": "6", "DB_POOL_WARM": "true", "DB_CONNECT_TIMEOUT": "15s", "REQUEST_TIMEOUT": "15s"}}); err != nil {
			return err
		}
		defer func() { _ = c.shop.Close(context.WithoutCancel(ctx)) }()
		return c.every(ctx, kept)
	})
}

// slowly is a shift with a half in which, and a watch in which, there is time.
func slowly(document *release.Release) {
	document.Spec.Traffic.Steps = []release.Step{{Weight: 50, Hold: release.Duration(20 * time.Second)}, {Weight: 100}}
	document.Spec.Traffic.Watch = release.Duration(20 * time.Second)
	document.Spec.Traffic.Drain = release.DrainNone
}

func (c *cancelling) every(ctx context.Context, kept *keeper) error {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	defer c.load.Stop()
	for _, by := range policies() {
		for moment := range moments {
			name := fmt.Sprintf("workflow cancelled at %d %% of a shift, %s", 100*moment/moments, by.name)
			if kept.done(name) {
				continue
			}
			began, before := time.Now(), c.load.Counts()
			detail, err := c.try(ctx, c.length*time.Duration(moment)/moments, by)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			counts := c.load.Counts().Since(before)
			found := outcome{Part: name, Took: time.Since(began), Detail: detail + "; " + told(counts), Passed: err == nil && counts.Failed == 0 && counts.Requests > 0}
			if err != nil {
				found.Detail += ": " + err.Error()
			}
			if err := errors.Join(kept.add(found), c.back(ctx)); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare gives the Jobs their account, puts load on production and takes the
// length of a shift.
func (c *cancelling) prepare(ctx context.Context) error {
	generated, err := c.shop.Run(ctx, "generate", "rbac", "--jobs")
	if err != nil {
		return err
	}
	file := filepath.Join(c.shop.Folder, "rbac.yaml")
	if err := os.WriteFile(file, []byte(generated.Stdout), 0o600); err != nil {
		return err
	}
	if err := c.shop.Kubectl(ctx, "apply", "-f", file); err != nil {
		return err
	}
	if err := c.shop.AwaitAnswers(ctx); err != nil {
		return err
	}
	url, err := c.shop.URL(ctx, "/recommendations?user=anna")
	if err != nil {
		return err
	}
	if c.load, err = clients.Start(ctx, clients.Options{URL: url, Header: c.shop.Header(), Rate: load, KeepAlive: 5, Fresh: 5, Timeout: 20 * time.Second, Strict: true}); err != nil {
		return err
	}
	shifted, err := c.shop.Run(ctx, "shift")
	if err == nil && shifted.Code != rollout.CodeDone {
		err = fmt.Errorf("a shift that nobody cancels ends with %d: %s", shifted.Code, shifted.Stderr)
	}
	c.length = shifted.Took
	return errors.Join(err, c.back(ctx))
}

// try cancels a shift once, and says how it ended; the error is what must not be.
func (c *cancelling) try(ctx context.Context, after time.Duration, by policy) (string, error) {
	temp, err := os.MkdirTemp("", "step-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	inputs := map[string]string{"command": "shift", "on-cancel": by.onCancel}
	if by.guard != "" {
		inputs["args"] = "--guard --guard-silence 15s --guard-policy " + by.guard + " --image " + guardImage
	}
	step, err := runner.Start(ctx, c.place, runner.Options{Entry: filepath.Join(c.place.Source, "action", "entry"), Engine: c.engine, Checkout: c.shop.Folder, Temp: temp, Inputs: inputs})
	if err != nil {
		return "", err
	}
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-step.Process().Done():
	case <-ctx.Done():
		return "", ctx.Err()
	}
	killed := false
	select {
	case <-step.Process().Done():
	default:
		if killed, err = step.Cancel(ctx); err != nil {
			return "", err
		}
	}
	posted, err := step.Post(ctx)
	if err != nil {
		return "", err
	}
	outputs, err := step.Outputs()
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("killed: %v, verdict %q, post ended with %d", killed, outputs["verdict"], posted.Code)
	status, err := c.settled(ctx, by)
	if err != nil {
		return detail, err
	}
	if status != nil {
		detail += fmt.Sprintf(", run %s is %s", status.ID, status.Phase)
	}
	return detail, c.stands(ctx, status, by, outputs["verdict"] == "pass")
}

// settled waits until the run of a step has ended. One that was handed over before
// its guard had started, and anything was moved, is held: it is given up, as whoever
// is told of it does. It is nil where none had begun.
func (c *cancelling) settled(ctx context.Context, by policy) (*rollout.RunStatus, error) {
	var status *rollout.RunStatus
	var last error
	err := wait.PollUntilContextTimeout(ctx, time.Second, cancelPatience, true, func(ctx context.Context) (bool, error) {
		if status, last = c.status(ctx); last != nil {
			return false, nil //nolint:nilerr // it is told where it lasts
		}
		if status == nil || status.ID == c.former {
			status = nil
			return true, nil
		}
		if status.Phase == rollout.Held && by.guard != "" {
			if share, err := c.shop.Share(ctx, shop.Green); err == nil && share == 0 {
				_, last = c.shop.Run(ctx, "rollback", "--reason", "nothing was moved")
			}
			return false, nil
		}
		return status.Phase.Terminal() && status.Phase != rollout.Held, nil
	})
	if err != nil {
		return status, fmt.Errorf("wait for the run to end: %w", errors.Join(err, last))
	}
	if status != nil {
		c.former = status.ID
	}
	return status, nil
}

// status is what is known of the last run, nil where there is none.
func (c *cancelling) status(ctx context.Context) (*rollout.RunStatus, error) {
	result, err := c.shop.Run(ctx, "status", "-o", "json")
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(result.Stdout) == "" {
		return nil, nil
	}
	return result.Status()
}

// stands is an error unless one colour has everything, proven, and it is the one
// that the policy says. passed: the step had ended well all the same.
func (c *cancelling) stands(ctx context.Context, status *rollout.RunStatus, by policy, passed bool) error {
	phase := rollout.Blocked // where no run had begun
	if status != nil {
		phase = status.Phase
	}
	want, as := shop.Blue, phase == rollout.Blocked || phase == rollout.RolledBack
	if phase == rollout.Done {
		want, as = shop.Green, passed || by.color == shop.Green
	}
	if phase == rollout.RolledBack && by.color == shop.Green && !status.DataPlane.Switched.IsZero() {
		as = false // the guard was to go on
	}
	if !as {
		return fmt.Errorf("the run is %s, which is not what the policy says: %s", phase, status.Reason)
	}
	share, err := c.shop.Share(ctx, want)
	if err == nil && share != 100 {
		err = fmt.Errorf("%s has %g %%", want, share)
	}
	return errors.Join(err, c.shop.Serves(ctx, want))
}

// back gives everything to blue, with green at rest, for the next one.
func (c *cancelling) back(ctx context.Context) error {
	status, err := c.status(ctx)
	if err != nil || status == nil {
		return err
	}
	c.former = status.ID
	if status.Phase == rollout.Done {
		if result, err := c.shop.Run(ctx, "rollback"); err != nil || result.Code != rollout.CodeDone {
			return errors.Join(fmt.Errorf("roll back: code %d: %s", result.Code, result.Stderr), err)
		}
	}
	if err := c.shop.AwaitReady(ctx, shop.Green); err != nil {
		return err
	}
	if status, err = c.status(ctx); err == nil && status != nil {
		c.former = status.ID
	}
	return err
}
