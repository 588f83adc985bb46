package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Two releases may share an object: an HTTPRoute with a rule for each of two
// services, or a Deployment that both name. One moves it after the other. While a
// run of one is under way, a run of the other would take the object from it in the
// midst, for the higher epoch wins.

// stampRead is the stamp with which an object was read.
type stampRead struct {
	object string // kind/name
	fence  cluster.Fence
}

// stampsOn are the stamps on a route, or on each of a set.
func stampsOn(route traffic.Route) []stampRead {
	var read []stampRead
	for _, one := range route.Each() {
		read = append(read, stampRead{one.Object, one.Fence})
	}
	return read
}

// newestOf is the highest epoch among stamps.
func newestOf(read []stampRead) int64 {
	newest := int64(0)
	for _, one := range read {
		newest = max(newest, one.fence.Epoch)
	}
	return newest
}

// sharedError says that a run would write to what a run of another release has in
// hand.
type sharedError struct {
	objects []string
	held    *journal.HeldError
}

// Error names the objects, the other release, its run and holder, and what to do.
func (e *sharedError) Error() string {
	return fmt.Sprintf("%s is in the hands of another release: %v; wait for that run, or bring it to its end with the document of %s: "+
		"kubectl bluegreen resume -f FILE, or: kubectl bluegreen rollback -f FILE", strings.Join(e.objects, ", "), e.held, e.held.Release)
}

// sharedLook bounds how long a rollback asks who else has an object in hand.
const sharedLook = 2 * time.Second

// disputed refuses a run that would write to what another release has in hand. On
// the way back that is a warning, for traffic comes first. Two that begin at once
// may both pass: the fence lets one of them through.
func (r *Runner) disputed(ctx context.Context, state State, read []stampRead) error {
	if !goesBack(state) {
		return r.inOtherHands(ctx, read)
	}
	bounded, cancel := context.WithTimeout(ctx, sharedLook)
	defer cancel()
	if err := r.inOtherHands(bounded, read); err != nil && ctx.Err() == nil {
		r.tell(state.Phase, Warning, "going back all the same: %s", oneLine(err))
	}
	return nil
}

// inOtherHands is a *sharedError for each release that has something in hand of
// what was read. A stamp that is nobody's stays so: whoever takes a lease has an
// epoch of its own.
func (r *Runner) inOtherHands(ctx context.Context, read []stampRead) error {
	objects := map[cluster.Fence][]string{}
	var stamps []cluster.Fence
	for _, one := range read {
		if r.nobodys[one.fence] || slices.Contains(objects[one.fence], one.object) {
			continue
		}
		if objects[one.fence] == nil {
			stamps = append(stamps, one.fence)
		}
		objects[one.fence] = append(objects[one.fence], one.object)
	}
	var failures []error
	for _, stamp := range stamps {
		held, err := r.Journal.Other(ctx, stamp)
		switch {
		case err != nil:
			failures = append(failures, whoseUnknown(objects[stamp], stamp, err))
		case held != nil:
			failures = append(failures, &sharedError{objects: objects[stamp], held: held})
		default:
			if r.nobodys == nil {
				r.nobodys = map[cluster.Fence]bool{}
			}
			r.nobodys[stamp] = true
		}
	}
	return errors.Join(failures...)
}

// whoseUnknown says that nobody can tell whether a stamp is that of a run under
// way. A Role from before this was asked, or one that was cut, lacks the right.
func whoseUnknown(objects []string, stamp cluster.Fence, err error) error {
	unknown := fmt.Errorf("whether another release has %s in hand can't be told, which carries epoch %d of %s: %w",
		strings.Join(objects, ", "), stamp.Epoch, stamp.Holder, cluster.Explain(err))
	if apierrors.IsForbidden(err) {
		return release.WithHint(unknown, "the Role of the release grants it, write it anew: kubectl bluegreen generate rbac")
	}
	return unknown
}

// refused is the outcome of a run that another release is in the way of; any
// other error stays one.
func refused(err error) (Outcome, error) {
	if shared := (*sharedError)(nil); !errors.As(err, &shared) {
		return Outcome{}, err
	}
	return Outcome{Code: CodeBlocked, Message: oneLine(err), Next: "kubectl bluegreen status -f FILE -w"}, nil
}

// refusedLate is refused for a run that has its lease, which is given up: whoever
// drives it, a pod or a guard, waits for the other release.
func (r *Runner) refusedLate(ctx context.Context, err error) (Outcome, error) {
	outcome, err := refused(err)
	if err == nil {
		r.letGo(ctx)
	}
	return outcome, err
}

// whose names the other release that has taken the route from this run, "" where
// it was none or can't be told.
func (r *Runner) whose(ctx context.Context, route traffic.Route) string {
	for _, one := range stampsOn(route) {
		if one.fence == r.fence() {
			continue
		}
		if held, err := r.Journal.Other(ctx, one.fence); err == nil && held != nil {
			return ": " + held.Error()
		}
	}
	return ""
}

// oneLine is the text of an error, of which several may have been joined.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
