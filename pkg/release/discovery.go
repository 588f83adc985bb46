package release

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Discovery is what a production Service tells about a release.
type Discovery struct {
	// Release is complete, defaults included.
	Release *Release
	// Live is the colour that the Service selects now.
	Live string
	// Production is another Service that selects a colour's pods, where the one at
	// hand is called after one colour and that one is not: it is the one that a shift
	// should move. "" where there is none.
	Production string
	// Guesses are what was concluded rather than read, in the order of the
	// document.
	Guesses []Guess
}

// Guess is one conclusion and what it rests on.
type Guess struct {
	// Field is the path in the document, such as spec.colors.blue.service.
	Field string `json:"field"`
	Value string `json:"value"`
	Why   string `json:"why"`
}

// Discover finds the two colours behind a production Service. It reads
// Services, Deployments and StatefulSets of the namespace and writes nothing.
// Whatever it would have to guess blindly is an error with a hint.
func Discover(ctx context.Context, client kubernetes.Interface, namespace, service string) (*Discovery, error) {
	production, err := client.CoreV1().Services(namespace).Get(ctx, service, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, WithHint(fmt.Errorf("read service %s/%s: %w", namespace, service, err), "kubectl get services -n "+namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("read service %s/%s: %w", namespace, service, err)
	}
	// A Service that can't be a route is refused before more is asked for.
	if err := mayBeRoute(production); err != nil {
		return nil, err
	}
	found, err := collect(ctx, client, namespace)
	if err != nil {
		return nil, err
	}
	return discover(production, found.deployments, found.statefulSets, found.services)
}

// surroundings are the objects of a namespace that may belong to a release.
type surroundings struct {
	deployments  []appsv1.Deployment
	statefulSets []appsv1.StatefulSet
	services     []corev1.Service
}

func collect(ctx context.Context, client kubernetes.Interface, namespace string) (surroundings, error) {
	var found surroundings
	err := paged(func(options metav1.ListOptions) (string, error) {
		page, err := client.AppsV1().Deployments(namespace).List(ctx, options)
		if err != nil {
			return "", fmt.Errorf("list deployments of %s: %w", namespace, err)
		}
		found.deployments = append(found.deployments, page.Items...)
		return page.Continue, nil
	})
	if err != nil {
		return found, err
	}
	err = paged(func(options metav1.ListOptions) (string, error) {
		page, err := client.AppsV1().StatefulSets(namespace).List(ctx, options)
		if err != nil {
			return "", fmt.Errorf("list statefulsets of %s: %w", namespace, err)
		}
		found.statefulSets = append(found.statefulSets, page.Items...)
		return page.Continue, nil
	})
	if err != nil {
		return found, err
	}
	err = paged(func(options metav1.ListOptions) (string, error) {
		page, err := client.CoreV1().Services(namespace).List(ctx, options)
		if err != nil {
			return "", fmt.Errorf("list services of %s: %w", namespace, err)
		}
		found.services = append(found.services, page.Items...)
		return page.Continue, nil
	})
	return found, err
}

// paged asks for page after page until there is no next.
func paged(list func(metav1.ListOptions) (next string, err error)) error {
	options := metav1.ListOptions{Limit: 250}
	for {
		next, err := list(options)
		if err != nil || next == "" {
			return err
		}
		options.Continue = next
	}
}
