package cluster

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// UserAgent is how the tool names itself to the API server.
const UserAgent = "kubectl-bluegreen"

// The client-side rate limit, in requests per second and requests at once.
// kubectl itself uses 50 and 300 for discovery; API Priority and Fairness on
// the server is what really protects it.
const (
	requestsPerSecond = 50
	requestsAtOnce    = 100
)

// requestTimeout bounds a request that brings no deadline of its own. It is
// longer than the 30 seconds for which an API server tries to reach a pod.
const requestTimeout = 35 * time.Second

// Client is a connection to one cluster. The zero value with only Kubernetes
// set is good for everything that does not reach into pods or apply
// manifests, which is what tests with a fake clientset need.
type Client struct {
	// Config is how the cluster is reached; nil in tests.
	Config *rest.Config
	// Kubernetes is the typed client.
	Kubernetes kubernetes.Interface
	// Dynamic is the client for kinds without a Go type.
	Dynamic dynamic.Interface
	// Mapper maps kinds to resources; its first use runs discovery.
	Mapper meta.RESTMapper
	// Namespace is the kubeconfig's, or that of -n.
	Namespace string
	// Context is the kubeconfig context, "" when none is used.
	Context string

	direct  onceTransport
	reach   atomic.Int32
	noWeb   atomic.Bool
	forward sync.Map
}

// onceTransport is the authenticated transport to the API server, made when
// it is first asked for.
type onceTransport struct {
	once   sync.Once
	client *http.Client
	err    error
}

// Connect reads the configuration that getter names and makes the clients.
// It sends no request: an unreachable cluster shows with the first one.
func Connect(getter genericclioptions.RESTClientGetter) (*Client, error) {
	loader := getter.ToRawKubeConfigLoader()
	config, err := getter.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config = rest.CopyConfig(config)
	config.UserAgent = UserAgent
	config.QPS, config.Burst = requestsPerSecond, requestsAtOnce
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, fmt.Errorf("read namespace from kubeconfig: %w", err)
	}
	client := &Client{
		Config:    config,
		Namespace: namespace,
		Context:   contextName(getter, loader),
		Mapper:    meta.NewLazyRESTMapperLoader(getter.ToRESTMapper),
	}
	httpClient, err := client.httpClient()
	if err != nil {
		return nil, err
	}
	if client.Kubernetes, err = kubernetes.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("make client for %s: %w", config.Host, err)
	}
	if client.Dynamic, err = dynamic.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("make client for %s: %w", config.Host, err)
	}
	return client, nil
}

// contextName is the context in use: the flag's when given, else the
// kubeconfig's.
func contextName(getter genericclioptions.RESTClientGetter, loader clientcmd.ClientConfig) string {
	if flags, ok := getter.(*genericclioptions.ConfigFlags); ok && flags.Context != nil && *flags.Context != "" {
		return *flags.Context
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}

// httpClient is the one HTTP client of all requests that are not streams.
func (c *Client) httpClient() (*http.Client, error) {
	c.direct.once.Do(func() {
		if c.Config == nil {
			c.direct.err = fmt.Errorf("reach into the cluster: this client has no address to go to")
			return
		}
		config := rest.CopyConfig(c.Config)
		limit := config.Timeout
		if limit == 0 {
			limit = requestTimeout
		}
		// The limit is laid on each request that is not a stream, since
		// Config.Timeout would also cut a followed log or a watch.
		config.Timeout = 0
		config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return &timeLimit{next: next, limit: limit}
		})
		c.direct.client, c.direct.err = rest.HTTPClientFor(config)
		if c.direct.err != nil {
			c.direct.err = fmt.Errorf("make client for %s: %w", c.Config.Host, c.direct.err)
		}
	})
	return c.direct.client, c.direct.err
}
