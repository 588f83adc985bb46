package shop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Route names a kind of production route. The zero value is a Service.
type Route string

// kind is what a kind of route is made of. Everything about it is said in plain
// code, and nothing by the program under test.
type kind struct {
	route Route
	// resource and name are those of the object that a shift writes to.
	resource schema.GroupVersionResource
	name     string
	// manifest is that object as it is before the first release, as YAML.
	manifest func(s *Shop) ([]byte, error)
	// entrance is what leads clients to that object, as YAML; nil where they
	// come to it by themselves.
	entrance func(s *Shop) []byte
	// ahead are manifests of the colours without which it leads to what is
	// not there.
	ahead []string
	// declare names it in a Release, and changes there what such a route
	// wants otherwise.
	declare func(*release.Release)
	// weights read what the object gives each colour. Only how they are to
	// each other counts.
	weights func(object *unstructured.Unstructured) (map[string]int64, error)
	// keepsBothSides says that a shift never scales a side of it to zero.
	keepsBothSides bool
	// behind is the Service whose endpoints get what a colour is given.
	behind func(color string) string
	// entry is the Service that clients ask, by its namespace and name, and
	// host the name by which they do; "" leaves both to the production Service.
	entry func(s *Shop) (namespace, name string)
	host  func(s *Shop) string
	// url is what is asked there for a path, as [clients.Options] has it; nil
	// is HTTP on port 80.
	url func(s *Shop, address, path string) string
}

// kinds lists all of them, each in a file of its own.
func kinds() []kind {
	return []kind{
		serviceKind(), httpRouteKind(), traefikServiceKind(), customKind(), ingressRouteKind(), routeGroupKind(), skipperIngressKind(),
		grpcRouteKind(), virtualServiceKind(), virtualServiceSubsetsKind(),
	}
}

// kindOf is what a kind is made of.
func kindOf(route Route) (kind, error) {
	at := slices.IndexFunc(kinds(), func(known kind) bool { return known.route == route })
	if at < 0 {
		return kind{}, fmt.Errorf("there is no kind of route %q", route)
	}
	return kinds()[at], nil
}

// Object is the object that a shift writes to: its resource, and its name.
func (s *Shop) Object() (schema.GroupVersionResource, string) { return s.kind.resource, s.kind.name }

// Objects are what to read and write it with.
func (s *Shop) Objects() dynamic.ResourceInterface {
	return s.place.Client.Dynamic.Resource(s.kind.resource).Namespace(s.Namespace)
}

// KeepsBothSides reports whether a side that gets nothing runs on.
func (s *Shop) KeepsBothSides() bool { return s.kind.keepsBothSides }

// Production reads it.
func (s *Shop) Production(ctx context.Context) (*unstructured.Unstructured, error) {
	object, err := s.Objects().Get(ctx, s.kind.name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read the production route: %w", err)
	}
	return object, nil
}

// URL is where production is asked, by a Service's cluster address and with the
// [Shop.Header].
func (s *Shop) URL(ctx context.Context, path string) (string, error) {
	namespace, name := s.kind.entry(s)
	service, err := s.place.Client.Kubernetes.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("find where production is asked: %w", err)
	}
	if s.kind.url != nil {
		return s.kind.url(s, service.Spec.ClusterIP, path), nil
	}
	return "http://" + net.JoinHostPort(service.Spec.ClusterIP, "80") + path, nil
}

// Header is what goes with every request to production.
func (s *Shop) Header() http.Header {
	header := http.Header{}
	if host := s.kind.host(s); host != "" {
		header.Set("Host", host)
	}
	return header
}

// Receivers are the Services whose endpoints get requests by what an object of
// the production route says, sorted.
func (s *Shop) Receivers(object *unstructured.Unstructured) ([]string, error) {
	weights, err := s.kind.weights(object)
	if err != nil {
		return nil, fmt.Errorf("read the weights of production: %w", err)
	}
	var found []string
	for color, weight := range weights {
		if weight > 0 {
			found = append(found, s.kind.behind(color))
		}
	}
	slices.Sort(found)
	return found, nil
}

// Share is the part that production gives a colour, in percent.
func (s *Shop) Share(ctx context.Context, color string) (float64, error) {
	object, err := s.Production(ctx)
	if err != nil {
		return 0, err
	}
	weights, err := s.kind.weights(object)
	if err != nil {
		return 0, fmt.Errorf("read the weights of production: %w", err)
	}
	sum := int64(0)
	for _, weight := range weights {
		sum += weight
	}
	if sum == 0 {
		return 0, errors.New("production gives nothing to any colour")
	}
	return 100 * float64(weights[color]) / float64(sum), nil
}

// Live is the colour that production gives everything to, "" where both have a
// part.
func (s *Shop) Live(ctx context.Context) (string, error) {
	for _, color := range []string{Blue, Green} {
		share, err := s.Share(ctx, color)
		if err != nil || share == 100 {
			return color, err
		}
	}
	return "", nil
}

// AwaitLive waits until production gives everything to a colour.
func (s *Shop) AwaitLive(ctx context.Context, color string) error {
	return s.AwaitShare(ctx, color, 100)
}

// AwaitShare waits until production gives a colour a part, in percent.
func (s *Shop) AwaitShare(ctx context.Context, color string, percent float64) error {
	err := await(ctx, func(ctx context.Context) (bool, error) {
		share, err := s.Share(ctx, color)
		return share == percent, err
	})
	if err != nil {
		return fmt.Errorf("wait until production gives %g %% to %s: %w", percent, color, err)
	}
	return nil
}

// Serves returns an error unless production gives everything to a colour, and
// the EndpointSlices behind it hold that colour's pods and nothing else.
func (s *Shop) Serves(ctx context.Context, color string) error {
	share, err := s.Share(ctx, color)
	if err != nil {
		return err
	}
	if share != 100 {
		return fmt.Errorf("production gives %g %% to %s, want everything", share, color)
	}
	endpoints, err := s.Endpoints(ctx, s.kind.behind(color))
	if err != nil {
		return err
	}
	pods, err := s.PodNames(ctx, color)
	if err != nil {
		return err
	}
	if len(pods) == 0 || !slices.Equal(pods, endpoints) {
		return fmt.Errorf("the EndpointSlices of production hold %v, want the pods of %s: %v", endpoints, color, pods)
	}
	return nil
}
