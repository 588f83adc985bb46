package cluster_test

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func TestResourceOf(t *testing.T) {
	for want, right := range map[string]authorizationv1.ResourceAttributes{
		"pods":                         {Verb: "list", Resource: "pods"},
		"pods/log":                     {Verb: "get", Resource: "pods", Subresource: "log"},
		"services/shop":                {Verb: "patch", Resource: "services", Name: "shop"},
		"deployments.apps/shop-green":  {Verb: "get", Resource: "deployments", Group: "apps", Name: "shop-green"},
		"deployments.apps/scale/green": {Verb: "get", Resource: "deployments", Group: "apps", Subresource: "scale", Name: "green"},
	} {
		if got := cluster.ResourceOf(right); got != want {
			t.Errorf("%+v is %q in words, want %q", right, got, want)
		}
	}
}
