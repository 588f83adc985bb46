package traffic

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// The times of Recycle.
const (
	recyclePoll = time.Second
	// recycleProgress bounds the wait for a pod to end and its replacement
	// to be ready, unless the request says.
	recycleProgress = 5 * time.Minute
	// recycleRefused bounds how long a PodDisruptionBudget is asked again.
	recycleRefused = 2 * time.Minute
	// recycleBackoff is the longest pause between two of those.
	recycleBackoff = 15 * time.Second
)

// RecycleRequest says whose pods are to be restarted, and within what bounds.
type RecycleRequest struct {
	Namespace string
	Workload  *cluster.Workload
	// Residual is the rate of requests, per second, that each pod still
	// gets, by pod name. Only pods with more than 0 are restarted.
	Residual map[string]float64
	// Floor is the number of ready pods that are always left.
	Floor int
	// Fence is the run's; it is named in errors.
	Fence cluster.Fence
	// CheckStamp reads the route's stamp again and returns an error when it
	// is no longer the run's. It is called before every eviction, and on
	// every look while a replacement is waited for.
	CheckStamp func(ctx context.Context) error
	Clock      clock.Clock
	// Deadline bounds the wait for one pod to be replaced; 0 is 5 minutes.
	Deadline time.Duration
}

// RecycleReport is what a Recycle did.
type RecycleReport struct {
	// Done: every pod with residual traffic was replaced, or is gone.
	Done bool
	// Evicted are the pods that were told to end, in that order.
	Evicted []string
	// Stopped is why it ended before it was done, "" when it did not.
	Stopped string
	// Message is one sentence for people.
	Message string
}

// Recycle restarts the pods of a workload that still get requests, one at a
// time, so that clients which keep their connections open new ones, through
// the route. It goes through the Eviction API, so PodDisruptionBudgets hold,
// and deletes only the very pod that was measured (by UID). After each it
// waits for a replacement that is ready, of the same image and configuration,
// before it goes on; if that does not come, or another template turns up, it
// stops. An error is returned when the stamp is no longer ours or the cluster
// refuses the request itself; the report is valid even then.
func Recycle(ctx context.Context, client *cluster.Client, request RecycleRequest) (RecycleReport, error) {
	run := &recycling{client: client, request: request, evicted: map[types.UID]bool{}}
	if run.request.Deadline <= 0 {
		run.request.Deadline = recycleProgress
	}
	err := run.loop(ctx)
	report := run.report
	report.Message = fmt.Sprintf("recycled %d of %d pods of %s that still had requests", len(report.Evicted), len(run.plan.queue), request.Workload.Ref)
	if report.Stopped != "" {
		report.Message += ", then stopped: " + report.Stopped
	}
	if err != nil {
		return report, fmt.Errorf("recycle %s at epoch %d: %w", request.Workload.Ref, request.Fence.Epoch, err)
	}
	return report, nil
}

// recycling is one Recycle under way.
type recycling struct {
	client  *cluster.Client
	request RecycleRequest
	plan    recyclePlan
	evicted map[types.UID]bool
	report  RecycleReport
	// progress is when the last pod was evicted.
	progress time.Time
}

// loop observes, decides and acts until there is nothing to do or a reason
// to stop.
func (r *recycling) loop(ctx context.Context) error {
	if r.request.CheckStamp == nil {
		return errors.New("no stamp can be checked")
	}
	pods, err := r.pods(ctx)
	if err != nil {
		return err
	}
	r.plan = planRecycle(pods, r.request.Residual, r.request.Floor)
	r.progress = r.request.Clock.Now()
	for {
		step := decideRecycle(r.plan, pods, r.evicted)
		switch step.action {
		case recycleDone:
			r.report.Done = true
			return nil
		case recycleStop:
			r.report.Stopped = step.reason
			return nil
		case recycleEvict:
			if err := r.evict(ctx, step.pod); err != nil || r.report.Stopped != "" {
				return err
			}
		case recycleWait:
			if r.request.Clock.Since(r.progress) >= r.request.Deadline {
				r.report.Stopped = fmt.Sprintf("after %s %s", r.request.Deadline, step.reason)
				return nil
			}
		}
		if err := pause(ctx, r.request.Clock, recyclePoll); err != nil {
			return err
		}
		if err := r.request.CheckStamp(ctx); err != nil && !cluster.Transient(err) {
			return fmt.Errorf("check stamp while recycling: %w", err)
		}
		if pods, err = r.again(ctx, pods); err != nil {
			return err
		}
	}
}

// again observes; an API server that can't answer just now leaves what was
// seen before, which the deadline bounds.
func (r *recycling) again(ctx context.Context, before []recyclePod) ([]recyclePod, error) {
	pods, err := r.pods(ctx)
	if err != nil && cluster.Transient(err) && r.request.Clock.Since(r.progress) < r.request.Deadline {
		return unsettled(before), nil
	}
	return pods, err
}

func (r *recycling) pods(ctx context.Context) ([]recyclePod, error) {
	list, err := r.client.Pods(ctx, r.request.Namespace, r.request.Workload.Selector)
	if err != nil {
		return nil, err
	}
	pods := make([]recyclePod, 0, len(list))
	for index := range list {
		pods = append(pods, observeRecyclePod(&list[index]))
	}
	return pods, nil
}

// evict asks for one pod's end, and again while a budget refuses it.
func (r *recycling) evict(ctx context.Context, pod recyclePod) error {
	started, wait := r.request.Clock.Now(), recyclePoll
	for {
		if err := r.request.CheckStamp(ctx); err != nil {
			return fmt.Errorf("check stamp before evicting pod %s: %w", pod.name, err)
		}
		err := r.client.Kubernetes.PolicyV1().Evictions(r.request.Namespace).Evict(ctx, &policyv1.Eviction{
			ObjectMeta:    metav1.ObjectMeta{Name: pod.name, Namespace: r.request.Namespace},
			DeleteOptions: &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.uid))},
		})
		switch {
		case err == nil:
			r.evicted[pod.uid] = true
			r.report.Evicted = append(r.report.Evicted, pod.name)
			r.progress = r.request.Clock.Now()
			return nil
		case isGone(err):
			// It ended by itself; the next observation shows what came.
			return nil
		case !apierrors.IsTooManyRequests(err):
			return fmt.Errorf("evict pod %s: %w", pod.name, err)
		case r.request.Clock.Since(started) >= recycleRefused:
			r.report.Stopped = fmt.Sprintf("for %s the eviction of pod %s was refused: %s", recycleRefused, pod.name, refusal(err))
			return nil
		}
		if err := pause(ctx, r.request.Clock, wait); err != nil {
			return err
		}
		wait = min(2*wait, recycleBackoff)
	}
}

// refusal is the budget's name out of a refused eviction, when it is told.
func refusal(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if cause.Type == policyv1.DisruptionBudgetCause {
				return cause.Message
			}
		}
	}
	return err.Error()
}

// observeRecyclePod reduces a pod to what the decision rests on.
func observeRecyclePod(pod *corev1.Pod) recyclePod {
	config := pod.Labels["pod-template-hash"]
	if config == "" {
		config = pod.Labels["controller-revision-hash"]
	}
	return recyclePod{
		name:   pod.Name,
		uid:    pod.UID,
		ready:  cluster.PodReadiness(pod).Successful,
		ending: pod.DeletionTimestamp != nil,
		images: imageDigests(pod),
		config: config,
		detail: cluster.PodReadiness(pod).Message,
	}
}
