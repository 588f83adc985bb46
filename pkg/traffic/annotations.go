package traffic

import (
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// What a route carries in annotations is the same for every kind of it: the
// stamp, the split before, a stop.

// noReason stands for a stop that was asked for without one.
const noReason = "no reason given"

// annotated is the part of a Route that stands in metadata. The driver adds
// what its kind says. What somebody has made unreadable counts as none: a stamp
// that is not a run's own is an edit, and a record of the split before that is
// missing is looked for elsewhere.
func annotated(name, namespace string, object metav1.Object) Route {
	fence, err := cluster.FenceOf(object)
	if err != nil {
		fence = cluster.Fence{}
	}
	route := Route{
		Object:          name,
		Namespace:       namespace,
		UID:             object.GetUID(),
		ResourceVersion: object.GetResourceVersion(),
		Fence:           fence,
		Stop:            stopReason(object),
		Owners:          map[string][]string{},
		Live:            object,
	}
	if text, found := object.GetAnnotations()[cluster.AnnotationPrevious]; found {
		if previous, err := ParseSplit(text); err == nil {
			route.Previous = previous
		}
	}
	if route.Origin = route.Previous.Sole(); route.Origin == "" {
		route.Origin = object.GetAnnotations()[cluster.AnnotationOrigin]
	}
	return route
}

// stopReason is the reason of a requested stop; an annotation without one
// asks for it all the same.
func stopReason(object metav1.Object) string {
	reason, found := object.GetAnnotations()[cluster.AnnotationStop]
	if found && reason == "" {
		return noReason
	}
	return reason
}

// switched are the operations that go with every change of a split: what there
// was before, that it was we who changed it, and that a stop is answered.
// Where the route begins to share, it keeps who had everything: the split before
// a later step no longer tells. Where what there was before can't be read, the
// record of it stays as it is.
func switched(object metav1.Object, before, after Split) []cluster.Operation {
	operations := []cluster.Operation{cluster.Annotate(cluster.AnnotationSwitched, object.GetResourceVersion())}
	if len(before) > 0 {
		operations = slices.Insert(operations, 0, cluster.Annotate(cluster.AnnotationPrevious, before.String()))
	}
	if origin := before.Sole(); origin != "" && after.Sole() == "" {
		operations = append(operations, cluster.Annotate(cluster.AnnotationOrigin, origin))
	}
	return append(operations, withoutStop(object)...)
}

// withoutStop takes a stop off, if there is one.
func withoutStop(object metav1.Object) []cluster.Operation {
	return withoutAnnotation(object, cluster.AnnotationStop)
}

func withoutAnnotation(object metav1.Object, key string) []cluster.Operation {
	if _, found := object.GetAnnotations()[key]; !found {
		return nil
	}
	return []cluster.Operation{{Op: "remove", Path: "/metadata/annotations/" + cluster.EscapePointer(key)}}
}

// scaleOf is by how much the weights of a route were multiplied; 1 where
// nothing that makes sense says so.
func scaleOf(object metav1.Object) int64 {
	scale, err := strconv.ParseInt(object.GetAnnotations()[cluster.AnnotationScale], 10, 64)
	if err != nil || scale < 1 {
		return 1
	}
	return scale
}

// scaled keeps by how much they are multiplied now.
func scaled(object metav1.Object, factor int64) []cluster.Operation {
	if factor == 1 {
		return withoutAnnotation(object, cluster.AnnotationScale)
	}
	return []cluster.Operation{cluster.Annotate(cluster.AnnotationScale, strconv.FormatInt(factor, 10))}
}
