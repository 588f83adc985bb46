package clients

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/xds"
)

// meshCalls go where the control plane of a mesh says, by xDS: there is no proxy.
func (o Options) meshCalls(target *url.URL) (calls, error) {
	name, method, found := strings.Cut(strings.TrimPrefix(target.Path, "/"), "/")
	if !found {
		return calls{}, fmt.Errorf("read URL: %q is not xds://CONTROL-PLANE/NAME:PORT/SERVICE/METHOD", target)
	}
	bootstrap, err := meshBootstrap(target.Host)
	if err != nil {
		return calls{}, err
	}
	resolver, err := xds.NewXDSResolverWithConfigForTesting(bootstrap)
	if err != nil {
		return calls{}, fmt.Errorf("prepare xDS: %w", err)
	}
	return calls{target: "xds:///" + name, method: "/" + method, metadata: o.metadata(), options: []grpc.DialOption{grpc.WithResolvers(resolver)}}, nil
}

// meshBootstrap is who to ask and who asks: Istio wants a node that is somewhere,
// of a kind that it makes answers for.
func meshBootstrap(server string) ([]byte, error) {
	type object = map[string]any
	text, err := json.Marshal(object{
		"xds_servers": []any{object{
			"server_uri":      server,
			"channel_creds":   []any{object{"type": "insecure"}},
			"server_features": []string{"xds_v3"},
		}},
		"node": object{
			"id":       "sidecar~127.0.0.1~clients.default~default.svc.cluster.local",
			"metadata": object{"GENERATOR": "grpc", "NAMESPACE": "default", "CLUSTER_ID": "Kubernetes"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write xDS bootstrap: %w", err)
	}
	return text, nil
}
