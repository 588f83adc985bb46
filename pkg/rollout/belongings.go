package rollout

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// belongings finds what belongs to the side that is decommissioned, and says
// what becomes of each object: its workloads, and, where they are to be
// deleted, what exists for them alone. Workloads come last, for what belongs to
// them is found by them: a deletion that was cut off finds the rest again.
func (r *Runner) belongings(ctx context.Context, finish Finish) ([]Belonging, error) {
	own, _, err := r.present(ctx, finish.Idle)
	if err != nil {
		return nil, err
	}
	if !finish.Delete {
		return scaled(own), nil
	}
	others, _, err := r.present(ctx, finish.Live)
	if err != nil {
		return nil, err
	}
	side := side{Runner: r, finish: finish, own: own, others: others}
	var found []Belonging
	for _, part := range []func(context.Context) ([]Belonging, error){side.autoscalers, side.budgets, side.service} {
		belongings, err := part(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, belongings...)
	}
	for _, workload := range own {
		found = append(found, Belonging{Object: workload.Ref.String(), Replicas: workload.Replicas, Fate: Deleted, UID: string(workload.Object.GetUID())})
	}
	return found, nil
}

// scaled are workloads that are scaled to zero, or stand there already.
func scaled(workloads []*cluster.Workload) []Belonging {
	var found []Belonging
	for _, workload := range workloads {
		belonging := Belonging{Object: workload.Ref.String(), Replicas: workload.Replicas, Fate: ScaledToZero, UID: string(workload.Object.GetUID())}
		if workload.Replicas == 0 {
			belonging.Fate, belonging.Why = Stays, "it has no replicas"
			if _, recorded := workload.Object.GetAnnotations()[cluster.AnnotationReplicas]; recorded {
				belonging.Why += fmt.Sprintf(", %d before", workload.RecordedReplicas())
			}
		}
		found = append(found, belonging)
	}
	return found
}

// side looks for what exists for the workloads of one colour alone.
type side struct {
	*Runner
	finish      Finish
	own, others []*cluster.Workload
}

// autoscalers are those of the side's workloads; each scales one workload.
func (s side) autoscalers(ctx context.Context) ([]Belonging, error) {
	var found []Belonging
	for _, workload := range s.own {
		autoscalers, err := s.Client.Autoscalers(ctx, s.Release.Metadata.Namespace, workload.Ref)
		if err != nil {
			return nil, err
		}
		for _, autoscaler := range autoscalers {
			found = append(found, Belonging{Object: autoscalerObject + autoscaler.Name, Fate: Deleted, UID: string(autoscaler.UID)})
		}
	}
	return found, nil
}

// budgets are the disruption budgets that cover the side.
func (s side) budgets(ctx context.Context) ([]Belonging, error) {
	if len(s.own) == 0 {
		return nil, nil
	}
	namespace := s.Release.Metadata.Namespace
	list, err := s.Client.Kubernetes.PolicyV1().PodDisruptionBudgets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list poddisruptionbudgets in %s: %w", namespace, err)
	}
	var found []Belonging
	for index := range list.Items {
		belonging, covers, err := s.budget(ctx, &list.Items[index])
		if err != nil {
			return nil, err
		}
		if covers {
			found = append(found, belonging)
		}
	}
	return found, nil
}

// budget says what becomes of one budget, and whether it covers the side at all.
func (s side) budget(ctx context.Context, budget *policyv1.PodDisruptionBudget) (belonging Belonging, covers bool, err error) {
	belonging = Belonging{Object: "poddisruptionbudget/" + budget.Name, Fate: Deleted, UID: string(budget.UID)}
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil {
		return belonging, false, nil //nolint:nilerr // it selects nothing
	}
	if !matchesAny(selector, s.own) {
		return belonging, false, nil
	}
	belonging, err = s.unlessShared(ctx, belonging, selector)
	return belonging, true, err
}

// service is the side's own Service. A route with weights names both colours'
// Services, at weight 0 too: without one it would be broken.
func (s side) service(ctx context.Context) ([]Belonging, error) {
	spec := s.Release.Spec
	name := spec.Colors[s.finish.Idle].Service
	if name == "" {
		return nil, nil
	}
	service, err := s.Client.Kubernetes.CoreV1().Services(s.Release.Metadata.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read service/%s in %s: %w", name, s.Release.Metadata.Namespace, err)
	}
	belonging := Belonging{Object: "service/" + name, Fate: Deleted, UID: string(service.UID)}
	switch {
	case spec.Traffic.Needs(name):
		belonging.Fate, belonging.Why = Stays, "the production route names it"
	case spec.Colors[s.finish.Live].Service == name:
		belonging.Fate, belonging.Why = Stays, "it is "+s.finish.Live+"'s too"
	case len(service.Spec.Selector) == 0 || service.Spec.Type == corev1.ServiceTypeExternalName:
		belonging.Fate, belonging.Why = Stays, "it selects no pods, so whose it is can't be told"
	default:
		belonging, err = s.unlessShared(ctx, belonging, labels.SelectorFromSet(service.Spec.Selector))
	}
	return []Belonging{belonging}, err
}

// unlessShared lets an object stay whose selector is not for the side alone.
func (s side) unlessShared(ctx context.Context, belonging Belonging, selector labels.Selector) (Belonging, error) {
	if matchesAny(selector, s.others) {
		belonging.Fate, belonging.Why = Stays, "it is for pods of "+s.finish.Live+" too"
		return belonging, nil
	}
	pods, err := s.Client.Pods(ctx, s.Release.Metadata.Namespace, selector)
	if err != nil {
		return belonging, err
	}
	for _, pod := range pods {
		if !s.owns(&pod) {
			belonging.Fate, belonging.Why = Stays, "it is for pod/"+pod.Name+" too, which is not "+s.finish.Idle+"'s"
			return belonging, nil
		}
	}
	return belonging, nil
}

// owns reports whether a pod is one of the side's workloads'.
func (s side) owns(pod *corev1.Pod) bool {
	for _, workload := range s.own {
		if workload.Selector.Matches(labels.Set(pod.Labels)) {
			return true
		}
	}
	return false
}

// matchesAny reports whether a selector matches the pods of any workload.
func matchesAny(selector labels.Selector, workloads []*cluster.Workload) bool {
	for _, workload := range workloads {
		if selector.Matches(labels.Set(workload.Template.Labels)) {
			return true
		}
	}
	return false
}
