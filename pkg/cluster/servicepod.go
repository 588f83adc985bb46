package cluster

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// EndpointSlices lists the EndpointSlices of a Service.
func (c *Client) EndpointSlices(ctx context.Context, namespace, service string) ([]discoveryv1.EndpointSlice, error) {
	list, err := c.Kubernetes.DiscoveryV1().EndpointSlices(namespace).List(ctx,
		metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return nil, fmt.Errorf("list EndpointSlices of service %s in %s: %w", service, namespace, err)
	}
	return list.Items, nil
}

// servicePod finds one ready pod behind a port of a Service, and the port's
// number on that pod.
func (c *Client) servicePod(ctx context.Context, namespace, service, port string) (string, int, error) {
	object, err := c.Kubernetes.CoreV1().Services(namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return "", 0, fmt.Errorf("read service %s in %s: %w", service, namespace, err)
	}
	name, err := servicePortName(object, port)
	if err != nil {
		return "", 0, err
	}
	slices, err := c.EndpointSlices(ctx, namespace, service)
	if err != nil {
		return "", 0, err
	}
	for _, slice := range slices {
		number := slicePort(slice, name)
		if number == 0 {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			if ptr.Deref(endpoint.Conditions.Ready, true) && endpoint.TargetRef != nil && endpoint.TargetRef.Kind == "Pod" {
				return endpoint.TargetRef.Name, number, nil
			}
		}
	}
	return "", 0, fmt.Errorf("find pod of service %s in %s: no ready endpoint serves port %s", service, namespace, port)
}

// servicePortName is the name of the Service's port that has a name or a
// number; "" is the name of a single unnamed port.
func servicePortName(service *corev1.Service, port string) (string, error) {
	for _, candidate := range service.Spec.Ports {
		if candidate.Name == port || strconv.Itoa(int(candidate.Port)) == port {
			return candidate.Name, nil
		}
	}
	return "", fmt.Errorf("find port %s of service %s in %s: it has no such port", port, service.Name, service.Namespace)
}

// slicePort is the number of a named port in an EndpointSlice, 0 when it has
// none.
func slicePort(slice discoveryv1.EndpointSlice, name string) int {
	for _, port := range slice.Ports {
		if ptr.Deref(port.Name, "") == name && port.Port != nil {
			return int(*port.Port)
		}
	}
	return 0
}
