package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// podAddress is a port of a pod.
type podAddress struct {
	namespace, pod string
	port           int
}

func (a podAddress) String() string { return fmt.Sprintf("pod %s/%s:%d", a.namespace, a.pod, a.port) }

// throughPod is a target whose connections go through a port-forward. The pod
// is looked up again for every connection: it may have been replaced.
func throughPod(ctx context.Context, input ResolveInput, dsn string) (Target, error) {
	target, err := NewTarget(input.Database.Name, dsn, release.ViaPortForward, nil)
	if err != nil {
		return Target{}, err
	}
	if input.DialPod == nil || input.Kubernetes == nil {
		return Target{}, fmt.Errorf("reach database %s through a pod: pods can't be reached from here", input.Database.Name)
	}
	host, port := target.config.Host, int(target.config.Port)
	address, err := findPod(ctx, input, host, port)
	if err != nil {
		return Target{}, fmt.Errorf("reach database %s through a pod: %w", input.Database.Name, err)
	}
	target, err = NewTarget(input.Database.Name, dsn, release.ViaPortForward, func(ctx context.Context, _, _ string) (net.Conn, error) {
		address, err := findPod(ctx, input, host, port)
		if err != nil {
			return nil, err
		}
		return input.DialPod(ctx, address.namespace, address.pod, address.port)
	})
	target.Why = "through " + address.String()
	return target, err
}

// findPod names the pod that answers for a database: the one that the Release
// names (pod/NAME, service/NAME or a label selector), else one behind the
// Service that the connection string's host is.
func findPod(ctx context.Context, input ResolveInput, host string, port int) (podAddress, error) {
	named := input.Database.Observe.Pod
	kind, name, hasKind := strings.Cut(named, "/")
	switch {
	case named == "":
		service, namespace, ok := serviceOfHost(host, input.Namespace)
		if !ok {
			return podAddress{}, fmt.Errorf("its host is not a Service of the cluster; name a pod in observe.pod")
		}
		return podOfService(ctx, input, namespace, service, port)
	case hasKind && kind == "pod":
		return podAddress{input.Namespace, name, port}, nil
	case hasKind && (kind == "service" || kind == "svc"):
		return podOfService(ctx, input, input.Namespace, name, port)
	default:
		pod, err := readyPod(ctx, input, input.Namespace, named)
		if err != nil {
			return podAddress{}, err
		}
		return podAddress{input.Namespace, pod.Name, port}, nil
	}
}

// serviceOfHost reads a name of cluster DNS: NAME, NAME.NAMESPACE,
// NAME.NAMESPACE.svc and the same with the cluster's domain.
func serviceOfHost(host, namespace string) (service, in string, ok bool) {
	if host == "" || strings.HasPrefix(host, "/") || net.ParseIP(host) != nil || host == "localhost" {
		return "", "", false
	}
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case len(parts) == 1:
		return parts[0], namespace, true
	case len(parts) == 2 || parts[2] == "svc":
		return parts[0], parts[1], true
	default:
		return "", "", false
	}
}

func podOfService(ctx context.Context, input ResolveInput, namespace, name string, port int) (podAddress, error) {
	service, err := input.Kubernetes.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return podAddress{}, fmt.Errorf("read service %s/%s: %w", namespace, name, err)
	}
	if len(service.Spec.Selector) == 0 {
		return podAddress{}, fmt.Errorf("service %s/%s selects no pods", namespace, name)
	}
	pod, err := readyPod(ctx, input, namespace, labels.SelectorFromSet(service.Spec.Selector).String())
	if err != nil {
		return podAddress{}, err
	}
	return podAddress{namespace, pod.Name, targetPort(service, pod, port)}, nil
}

func readyPod(ctx context.Context, input ResolveInput, namespace, selector string) (*corev1.Pod, error) {
	pods, err := input.Kubernetes.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list pods %s in %s: %w", selector, namespace, err)
	}
	for i := range pods.Items {
		for _, condition := range pods.Items[i].Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return &pods.Items[i], nil
			}
		}
	}
	return nil, errors.New("no pod that matches " + selector + " in " + namespace + " is ready")
}

// targetPort is the pod's port behind a port of a Service.
func targetPort(service *corev1.Service, pod *corev1.Pod, port int) int {
	for _, candidate := range service.Spec.Ports {
		if int(candidate.Port) != port {
			continue
		}
		if candidate.TargetPort.Type == intstr.Int && candidate.TargetPort.IntVal > 0 {
			return int(candidate.TargetPort.IntVal)
		}
		for _, container := range pod.Spec.Containers {
			for _, declared := range container.Ports {
				if declared.Name == candidate.TargetPort.StrVal && declared.Name != "" {
					return int(declared.ContainerPort)
				}
			}
		}
	}
	return port
}
