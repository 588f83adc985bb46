package planted

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// inCapacity are faults of the room that there is for green.
func inCapacity() []Fault {
	return []Fault{
		{ID: "BG-COL-10", Name: "a quota for one colour", Outcome: preflight.Fail, Says: "pods would be 4 of 3",
			Plant: applied(quota)},
		{ID: "BG-COL-11", Name: "pods that no node can take", Outcome: preflight.Warn, Says: "2 of 2 pods that are still to come fit on no node", Also: []string{"BG-COL-16"},
			Plant: container(func(c *corev1.Container) { c.Resources.Requests[corev1.ResourceCPU] = resource.MustParse("900") })},
	}
}

const quota = `apiVersion: v1
kind: ResourceQuota
metadata: {name: planted}
spec: {hard: {pods: "3"}}
`
