package crash

import (
	"encoding/json"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
)

// recordKey is the key of the current run in its ConfigMap.
const recordKey = "run.json"

// objectOf reads an object as it goes over the wire, as JSON or protobuf; nil
// where it is none of Kubernetes' own.
func objectOf(text []byte) runtime.Object {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(text, nil, nil)
	if err != nil {
		return nil
	}
	return object
}

// nameOf is the name of the object that a request is about; one that is created
// has it in the body.
func nameOf(exchange *interpose.Exchange) string {
	if exchange.Name != "" {
		return exchange.Name
	}
	object, err := meta.Accessor(objectOf(exchange.Body))
	if err != nil {
		return ""
	}
	return object.GetName()
}

// runOf reads a run out of its ConfigMap, nil where there is none.
func runOf(text []byte) *journal.Run {
	object, is := objectOf(text).(*corev1.ConfigMap)
	if !is {
		return nil
	}
	run := &journal.Run{}
	if json.Unmarshal([]byte(object.Data[recordKey]), run) != nil {
		return nil
	}
	return run
}

// RunOf reads the record of a release's run that a request writes, nil where it
// writes none.
func RunOf(exchange *interpose.Exchange, release string) *journal.Run {
	if !exchange.Writes() || exchange.Resource != "configmaps" || nameOf(exchange) != journal.Name(release) {
		return nil
	}
	return runOf(exchange.Body)
}

// leaseOf reads a lease, nil where there is none.
func leaseOf(text []byte) *coordinationv1.Lease {
	lease, is := objectOf(text).(*coordinationv1.Lease)
	if !is {
		return nil
	}
	return lease
}
