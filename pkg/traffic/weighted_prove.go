package traffic

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// objection is what a proxy says against a route.
type objection struct {
	// why is "" where it serves the route as it stands.
	why string
	// unresolved: it serves the route but for backends that it does not find.
	unresolved bool
}

// Prove implements Router: the route has the split, its proxy has taken it as
// it stands, and the Service of every colour that gets traffic, if only that of
// a preview, leads to that colour's ready pods and to nothing else.
func (r *weightedRouter) Prove(ctx context.Context, split Split) (Proof, error) {
	route, err := r.Read(ctx)
	if err != nil {
		return Proof{}, err
	}
	if !route.Split.Equal(split) {
		return Proof{Time: r.clock.Now(), Message: fmt.Sprintf("%s has %s, not %s", r.object(), route.Split, split)}, nil
	}
	object, read := route.Live.(*unstructured.Unstructured)
	if read {
		if strayed := r.strayed(object); strayed != "" {
			return Proof{Time: r.clock.Now(), Message: fmt.Sprintf("%s has %s, but %s", r.object(), split, whatStrayed(strayed))}, nil
		}
	}
	if read && r.kind.refused != nil {
		refused := r.kind.refused(object)
		if excused := refused.unresolved && r.awaits(ctx, split); refused.why != "" && !excused {
			return Proof{Time: r.clock.Now(), Message: fmt.Sprintf("%s has %s, but %s", r.object(), split, refused.why)}, nil
		}
	}
	proof := Proof{Proven: true, Time: r.clock.Now()}
	for _, color := range r.colors.colors() {
		previewed := route.Preview != nil && route.Preview.Color == color
		if split[color] == 0 && !previewed {
			continue
		}
		behind, err := r.proveColor(ctx, color)
		if err != nil {
			return Proof{}, fmt.Errorf("prove %s of %s: %w", split, r.object(), err)
		}
		proof = proof.and(behind)
	}
	return proof, nil
}

// awaits reports whether a colour that gets nothing has no Service yet, as
// before its first release. That its proxy finds a backend missing is about that
// one then, and takes nothing from the colour that gets everything.
func (r *weightedRouter) awaits(ctx context.Context, split Split) bool {
	for color := range r.colors {
		if split[color] != 0 {
			continue
		}
		if _, err := r.service(ctx, color); apierrors.IsNotFound(err) {
			return true
		}
	}
	return false
}

// proveColor holds the EndpointSlices of a colour's Service against the ready
// pods that are the colour's by the Service's selector and by their own labels.
// Endpoints are read before pods, as for a Service route.
func (r *weightedRouter) proveColor(ctx context.Context, color string) (Proof, error) {
	service, err := r.service(ctx, color)
	if err != nil {
		return Proof{}, err
	}
	slices, err := r.client.EndpointSlices(ctx, r.namespace, service.Name)
	if err != nil {
		return Proof{}, err
	}
	pods, err := r.pods(ctx, service, color)
	if err != nil {
		return Proof{}, err
	}
	return proveEndpoints(service, slices, pods, color), nil
}

func (r *weightedRouter) service(ctx context.Context, color string) (*corev1.Service, error) {
	name := r.services[color]
	service, err := r.client.Kubernetes.CoreV1().Services(r.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read service/%s in %s: %w", name, r.namespace, err)
	}
	return service, nil
}

// pods are those that a colour's Service selects and that have its labels. A
// Service without a selector selects none.
func (r *weightedRouter) pods(ctx context.Context, service *corev1.Service, color string) ([]corev1.Pod, error) {
	if len(service.Spec.Selector) == 0 {
		return nil, nil
	}
	pods, err := r.client.Pods(ctx, r.namespace, labels.SelectorFromSet(service.Spec.Selector))
	if err != nil {
		return nil, err
	}
	own := labels.SelectorFromSet(r.selectors[color])
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return !own.Matches(labels.Set(pod.Labels)) }), nil
}

// Receivers implements Router.
func (r *weightedRouter) Receivers(ctx context.Context, color string) (int, error) {
	service, err := r.service(ctx, color)
	if err != nil {
		return 0, err
	}
	pods, err := r.pods(ctx, service, color)
	if err != nil {
		return 0, fmt.Errorf("count pods of %s behind %s: %w", color, r.object(), err)
	}
	return countReceivers(pods), nil
}

// countReceivers are the pods that would be given requests.
func countReceivers(pods []corev1.Pod) int {
	ready := 0
	for index := range pods {
		if pods[index].DeletionTimestamp == nil && cluster.PodReadiness(&pods[index]).Successful {
			ready++
		}
	}
	return ready
}
