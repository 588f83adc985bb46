package postgres

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// IdentityOf is by what the sessions of a colour of a release are told, whose pods are
// those of its workloads that carry its labels. masked is for all of them: a pooler
// opens their sessions.
//
// A pod that has ended holds no session, and its address may be another's by now. One
// of a Job is no pod of the colour, though charts give it the labels by which a
// Deployment finds its own.
func IdentityOf(name, color string, workloads []release.Workload, pods []corev1.Pod, masked bool) Identity {
	identity := Identity{Color: color, Release: name, Masked: masked}
	for _, workload := range workloads {
		identity.Names = append(identity.Names, workload.Name)
	}
	for i := range pods {
		pod := &pods[i]
		if controller := metav1.GetControllerOf(pod); cluster.PodEnded(pod) || controller != nil && controller.Kind == "Job" {
			continue
		}
		identity.Names = append(identity.Names, pod.Name)
		// A pod in its node's network shares the address with others.
		if pod.Spec.HostNetwork {
			identity.Masked = true
			continue
		}
		for _, ip := range pod.Status.PodIPs {
			identity.Addresses = append(identity.Addresses, ip.IP)
		}
	}
	return identity
}
