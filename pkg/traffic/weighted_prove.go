package traffic

import (
	"cmp"
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

// objection is what there is against a route beside its pods: what its proxy says, or
// what somebody has changed in it.
type objection struct {
	// why is "" where it is served as it stands, and by who says so.
	why, by string
	// unresolved: it is served but for backends that the proxy does not find.
	unresolved bool
	// remedy is what a person does about it.
	remedy string
	// note is what the proxy leaves open.
	note string
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
	proof, err := r.proveColors(ctx, route, split)
	against := r.objection(ctx, route, split)
	switch {
	case err != nil && against.why == "":
		return Proof{}, fmt.Errorf("prove %s of %s: %w", split, r.object(), err)
	case err != nil:
		proof = Proof{Time: r.clock.Now(), Message: err.Error()}
	case against.note != "":
		proof.Message += "; " + against.note
	}
	if against.why == "" {
		return proof, nil
	}
	message := fmt.Sprintf("%s has %s, but %s", r.object(), split, against.why)
	if !proof.Proven {
		message += "; " + proof.Message
	}
	proof.Proven, proof.Message, proof.Remedy = false, message, against.remedy
	return proof, nil
}

// proveColors proves every colour that gets requests, if only those of a preview.
func (r *weightedRouter) proveColors(ctx context.Context, route Route, split Split) (Proof, error) {
	proof := Proof{Proven: true, Time: r.clock.Now()}
	for _, color := range r.colors.colors() {
		previewed := route.Preview != nil && route.Preview.Color == color
		if split[color] == 0 && !previewed {
			continue
		}
		behind, err := r.proveColor(ctx, color)
		if err != nil {
			return Proof{}, err
		}
		proof = proof.and(behind)
	}
	return proof, nil
}

// objection is what there is against the object as it was read.
func (r *weightedRouter) objection(ctx context.Context, route Route, split Split) objection {
	object, read := route.Live.(*unstructured.Unstructured)
	if !read {
		return objection{}
	}
	if strayed := r.strayed(object); strayed != "" {
		return objection{why: whatStrayed(strayed), remedy: straysNoMore(strayed)}
	}
	if r.kind.refused == nil {
		return objection{}
	}
	refused := r.kind.refused(object)
	if refused.unresolved && r.awaits(ctx, split) {
		return objection{note: refused.note}
	}
	refused.remedy = fmt.Sprintf("%s has to take the route as it stands: kubectl -n %s describe %s %s tells what keeps it", cmp.Or(refused.by, "its proxy"), r.namespace, r.kind.resource.GroupResource(), r.name)
	return refused
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
