package traffic

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// coverage is one way in which a pod must be reachable: an IP family of the
// Service and one of its ports. EndpointSlices are divided by both.
type coverage struct {
	family discoveryv1.AddressType
	port   string
}

// proveEndpoints compares the EndpointSlices of a Service with the pods that
// its selector matches, which are all of one colour: every ready pod must be
// in them, for every IP family and port of the Service, and no other ready
// endpoint may be. Endpoints that are not ready get no new connection and
// don't count; that is how pods that are ending appear.
func proveEndpoints(service *corev1.Service, slices []discoveryv1.EndpointSlice, pods []corev1.Pod, color string) Proof {
	ready := readyPods(pods)
	held, extra := readyEndpoints(slices, ready)
	wanted := wantedCoverage(service, slices)
	proof := Proof{Extra: extra}
	for _, pod := range ready {
		if coversAll(held[pod.UID], wanted) {
			proof.Ready = append(proof.Ready, pod.Name)
		} else {
			proof.Missing = append(proof.Missing, pod.Name)
		}
	}
	proof.Proven = len(proof.Ready) > 0 && len(proof.Missing) == 0 && len(proof.Extra) == 0
	proof.Message = proofSentence(proof, color)
	return proof
}

// coversAll reports whether nothing that is wanted is missing. A pod that no
// slice holds covers nothing, even of a Service without ports.
func coversAll(held map[coverage]bool, wanted []coverage) bool {
	if held == nil {
		return false
	}
	for _, want := range wanted {
		if !held[want] {
			return false
		}
	}
	return true
}

// readyPods are the pods that should get traffic, sorted by name.
func readyPods(pods []corev1.Pod) []*corev1.Pod {
	var ready []*corev1.Pod
	for index := range pods {
		if cluster.PodReadiness(&pods[index]).Successful {
			ready = append(ready, &pods[index])
		}
	}
	slices.SortFunc(ready, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return ready
}

// readyEndpoints says which ready pod is held how, and names the ready
// endpoints that are none of them, sorted.
func readyEndpoints(endpointSlices []discoveryv1.EndpointSlice, ready []*corev1.Pod) (map[types.UID]map[coverage]bool, []string) {
	held := map[types.UID]map[coverage]bool{}
	extra := map[string]bool{}
	for _, slice := range endpointSlices {
		for _, endpoint := range slice.Endpoints {
			// No ready condition means ready: that is the API's own rule.
			if !ptr.Deref(endpoint.Conditions.Ready, true) {
				continue
			}
			pod := podOfEndpoint(endpoint, ready)
			if pod == nil {
				extra[endpointName(endpoint)] = true
				continue
			}
			if held[pod.UID] == nil {
				held[pod.UID] = map[coverage]bool{}
			}
			for _, port := range slice.Ports {
				held[pod.UID][coverage{slice.AddressType, ptr.Deref(port.Name, "")}] = true
			}
		}
	}
	return held, slices.Sorted(maps.Keys(extra))
}

// podOfEndpoint is the ready pod behind an endpoint; the name alone is not
// enough where the UID is known, as a StatefulSet's pods keep their names.
func podOfEndpoint(endpoint discoveryv1.Endpoint, ready []*corev1.Pod) *corev1.Pod {
	target := endpoint.TargetRef
	if target == nil || target.Kind != "Pod" {
		return nil
	}
	for _, pod := range ready {
		if target.UID == pod.UID || (target.UID == "" && target.Name == pod.Name) {
			return pod
		}
	}
	return nil
}

func endpointName(endpoint discoveryv1.Endpoint) string {
	if endpoint.TargetRef != nil && endpoint.TargetRef.Name != "" {
		return endpoint.TargetRef.Name
	}
	return strings.Join(endpoint.Addresses, ",")
}

// wantedCoverage is every IP family of the Service with every port of it. A
// Service that doesn't say its families has those of its EndpointSlices.
func wantedCoverage(service *corev1.Service, slices []discoveryv1.EndpointSlice) []coverage {
	families := map[discoveryv1.AddressType]bool{}
	for _, family := range service.Spec.IPFamilies {
		families[discoveryv1.AddressType(family)] = true
	}
	if len(families) == 0 {
		for _, slice := range slices {
			families[slice.AddressType] = true
		}
	}
	if len(families) == 0 {
		families[discoveryv1.AddressTypeIPv4] = true
	}
	var wanted []coverage
	for family := range families {
		for _, port := range service.Spec.Ports {
			wanted = append(wanted, coverage{family, port.Name})
		}
	}
	return wanted
}

// proofSentence is the proof in one sentence.
func proofSentence(proof Proof, color string) string {
	count := fmt.Sprintf("EndpointSlices hold %d/%d ready %s pods", len(proof.Ready), len(proof.Ready)+len(proof.Missing), color)
	switch {
	case proof.Proven:
		return count + " and nothing else"
	case len(proof.Ready)+len(proof.Missing) == 0 && len(proof.Extra) == 0:
		return fmt.Sprintf("no %s pod behind the route is ready", color)
	}
	var faults []string
	if len(proof.Missing) > 0 {
		faults = append(faults, "missing: "+strings.Join(proof.Missing, ", "))
	}
	if len(proof.Extra) > 0 {
		faults = append(faults, "not theirs: "+strings.Join(proof.Extra, ", "))
	}
	return count + "; " + strings.Join(faults, "; ")
}
