package traffic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func greenPod(name string, ready bool) corev1.Pod {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
	}
}

func endpoint(pod string, ready *bool) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses:  []string{"10.0.0.1"},
		Conditions: discoveryv1.EndpointConditions{Ready: ready},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Name: pod, UID: types.UID("uid-" + pod)},
	}
}

func slice(family discoveryv1.AddressType, port string, endpoints ...discoveryv1.Endpoint) discoveryv1.EndpointSlice {
	return discoveryv1.EndpointSlice{AddressType: family, Ports: []discoveryv1.EndpointPort{{Name: &port, Port: ptr.To[int32](8080)}}, Endpoints: endpoints}
}

func TestProveEndpoints(t *testing.T) {
	const v4, v6 = discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6
	yes, no := ptr.To(true), ptr.To(false)
	one, two := greenPod("green-1", true), greenPod("green-2", true)
	ending := greenPod("green-3", true)
	ending.DeletionTimestamp = &metav1.Time{}
	reborn := endpoint("green-1", yes)
	reborn.TargetRef.UID = "uid-before"
	for name, test := range map[string]struct {
		families []corev1.IPFamily
		ports    []string
		slices   []discoveryv1.EndpointSlice
		pods     []corev1.Pod
		want     Proof
	}{
		"proven": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes), endpoint("green-2", nil))},
			pods:   []corev1.Pod{two, one},
			want:   Proof{Proven: true, Ready: []string{"green-1", "green-2"}, Message: "EndpointSlices hold 2/2 ready green pods and nothing else"},
		},
		"several slices": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes)), slice(v4, "http", endpoint("green-2", yes))},
			pods:   []corev1.Pod{one, two},
			want:   Proof{Proven: true, Ready: []string{"green-1", "green-2"}, Message: "EndpointSlices hold 2/2 ready green pods and nothing else"},
		},
		"one is missing": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes), endpoint("green-2", no))},
			pods:   []corev1.Pod{one, two},
			want:   Proof{Ready: []string{"green-1"}, Missing: []string{"green-2"}, Message: "EndpointSlices hold 1/2 ready green pods; missing: green-2"},
		},
		"the other colour is left": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes), endpoint("blue-1", yes))},
			pods:   []corev1.Pod{one},
			want:   Proof{Ready: []string{"green-1"}, Extra: []string{"blue-1"}, Message: "EndpointSlices hold 1/1 ready green pods; not theirs: blue-1"},
		},
		"the other colour ends": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes), endpoint("blue-1", no))},
			pods:   []corev1.Pod{one},
			want:   Proof{Proven: true, Ready: []string{"green-1"}, Message: "EndpointSlices hold 1/1 ready green pods and nothing else"},
		},
		"a ready endpoint of a pod that ends": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes), endpoint("green-3", yes))},
			pods:   []corev1.Pod{one, ending},
			want:   Proof{Ready: []string{"green-1"}, Extra: []string{"green-3"}, Message: "EndpointSlices hold 1/1 ready green pods; not theirs: green-3"},
		},
		"the same name, another pod": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", reborn)},
			pods:   []corev1.Pod{one},
			want:   Proof{Missing: []string{"green-1"}, Extra: []string{"green-1"}, Message: "EndpointSlices hold 0/1 ready green pods; missing: green-1; not theirs: green-1"},
		},
		"an address of no pod": {
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes), discoveryv1.Endpoint{Addresses: []string{"10.9.9.9"}})},
			pods:   []corev1.Pod{one},
			want:   Proof{Ready: []string{"green-1"}, Extra: []string{"10.9.9.9"}, Message: "EndpointSlices hold 1/1 ready green pods; not theirs: 10.9.9.9"},
		},
		"one IP family lags": {
			families: []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol},
			slices:   []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes)), slice(v6, "http")},
			pods:     []corev1.Pod{one},
			want:     Proof{Missing: []string{"green-1"}, Message: "EndpointSlices hold 0/1 ready green pods; missing: green-1"},
		},
		"one port leads nowhere": {
			ports:  []string{"http", "grpc"},
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes))},
			pods:   []corev1.Pod{one},
			want:   Proof{Missing: []string{"green-1"}, Message: "EndpointSlices hold 0/1 ready green pods; missing: green-1"},
		},
		"ports divide the slices": {
			ports:  []string{"http", "grpc"},
			slices: []discoveryv1.EndpointSlice{slice(v4, "http", endpoint("green-1", yes)), slice(v4, "grpc", endpoint("green-1", yes))},
			pods:   []corev1.Pod{one},
			want:   Proof{Proven: true, Ready: []string{"green-1"}, Message: "EndpointSlices hold 1/1 ready green pods and nothing else"},
		},
		"nothing is ready": {
			pods: []corev1.Pod{greenPod("green-1", false)},
			want: Proof{Message: "no green pod behind the route is ready"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			service := &corev1.Service{Spec: corev1.ServiceSpec{IPFamilies: test.families}}
			if test.ports == nil {
				test.ports = []string{"http"}
			}
			for _, port := range test.ports {
				service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: port})
			}
			if diff := cmp.Diff(test.want, proveEndpoints(service, test.slices, test.pods, "green")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
