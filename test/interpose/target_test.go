package interpose

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTargetOf(t *testing.T) {
	tests := []struct {
		method, url string
		want        Target
		writes      bool
	}{
		{"GET", "/version", Target{Verb: "get"}, false},
		{"GET", "/apis/apps/v1", Target{Verb: "get"}, false},
		{"GET", "/api/v1/namespaces", Target{Verb: "list", Version: "v1", Resource: "namespaces"}, false},
		{"DELETE", "/api/v1/namespaces/shop", Target{Verb: "delete", Version: "v1", Resource: "namespaces", Name: "shop"}, true},
		{"PATCH", "/api/v1/namespaces/shop/services/svc-production?fieldManager=bluegreen",
			Target{Verb: "patch", Version: "v1", Resource: "services", Namespace: "shop", Name: "svc-production"}, true},
		{"PATCH", "/api/v1/namespaces/shop/services/svc-production?dryRun=All",
			Target{Verb: "patch", Version: "v1", Resource: "services", Namespace: "shop", Name: "svc-production", DryRun: true}, false},
		{"PUT", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/bluegreen-shop",
			Target{Verb: "update", Group: "coordination.k8s.io", Version: "v1", Resource: "leases", Namespace: "shop", Name: "bluegreen-shop"}, true},
		{"POST", "/api/v1/namespaces/shop/pods/web-1/eviction",
			Target{Verb: "create", Version: "v1", Resource: "pods", Subresource: "eviction", Namespace: "shop", Name: "web-1"}, true},
		{"POST", "/api/v1/namespaces/shop/pods/web-1:8080/proxy/recommendations",
			Target{Verb: "create", Version: "v1", Resource: "pods", Subresource: "proxy", Namespace: "shop", Name: "web-1:8080"}, false},
		{"POST", "/api/v1/namespaces/shop/pods/web-1/portforward",
			Target{Verb: "create", Version: "v1", Resource: "pods", Subresource: "portforward", Namespace: "shop", Name: "web-1"}, false},
		{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
			Target{Verb: "create", Group: "authorization.k8s.io", Version: "v1", Resource: "selfsubjectaccessreviews"}, false},
		{"DELETE", "/api/v1/namespaces/shop/pods?labelSelector=a%3Db",
			Target{Verb: "deletecollection", Version: "v1", Resource: "pods", Namespace: "shop"}, true},
		{"GET", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?watch=true",
			Target{Verb: "watch", Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices", Namespace: "shop"}, false},
		{"GET", "/api/v1/nodes/node-1", Target{Verb: "get", Version: "v1", Resource: "nodes", Name: "node-1"}, false},
	}
	for _, test := range tests {
		got := targetOf(httptest.NewRequest(test.method, test.url, nil))
		if difference := cmp.Diff(test.want, got); difference != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.method, test.url, difference)
		}
		if got.Writes() != test.writes {
			t.Errorf("%s %s writes: %t", test.method, test.url, got.Writes())
		}
	}
}
