package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// refusedError is what really comes back from an address where nothing listens.
func refusedError(t *testing.T) (string, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := "https://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(&rest.Config{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().Services("shop").Get(context.Background(), "svc", metav1.GetOptions{})
	return host, fmt.Errorf("read service/svc in shop: %w", err)
}

func unknownContextError(t *testing.T) error {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = ptr.To("testdata/kubeconfig.yaml")
	flags.Context = ptr.To("nowhere")
	_, err := cluster.Connect(flags)
	return err
}

func TestExplain(t *testing.T) {
	host, refused := refusedError(t)
	pods := schema.GroupResource{Resource: "pods"}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "shop-1",
		errors.New(`User "system:serviceaccount:ci:bot" cannot create resource "pods/eviction" in API group "" in the namespace "shop"`))
	group := apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "",
		errors.New(`User "ann" cannot patch resource "deployments" in API group "apps" in the namespace "shop"`))
	quota := apierrors.NewForbidden(pods, "shop-1", errors.New("exceeded quota: compute"))
	for name, test := range map[string]struct {
		err        error
		want, hint string
	}{
		"nobody answers":     {refused, "no cluster answers at " + host + ": connection refused", "kubectl cluster-info"},
		"unknown context":    {unknownContextError(t), `the kubeconfig has no context "nowhere"`, "kubectl config get-contexts"},
		"credentials":        {fmt.Errorf("list: %w", apierrors.NewUnauthorized("Unauthorized")), "the cluster refuses the credentials of this context: they have expired or are unknown to it", "kubectl auth whoami"},
		"a missing right":    {fmt.Errorf("evict: %w", forbidden), "missing right: verb create on resource pods/eviction in namespace shop, for user system:serviceaccount:ci:bot", "kubectl auth can-i create pods --subresource=eviction -n shop"},
		"a right on a group": {group, "missing right: verb patch on resource deployments.apps in namespace shop, for user ann", "kubectl auth can-i patch deployments.apps -n shop"},
		"quota":              {quota, quota.Error(), ""},
		"no CRD": {&meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}, SearchedVersions: []string{"v1"}},
			"this cluster does not serve HTTPRoute.gateway.networking.k8s.io (v1): its definition (CRD) is not installed, or in another version", "kubectl api-resources --api-group=gateway.networking.k8s.io"},
		"an object that is missing": {apierrors.NewNotFound(pods, "shop-1"), `pods "shop-1" not found`, ""},
		"anything else":             {errors.New("odd"), "odd", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := cluster.Explain(test.err)
			if got.Error() != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if hint := release.HintOf(got); !strings.Contains(hint, test.hint) || (test.hint == "") != (hint == "") {
				t.Errorf("hint %q, want %q in it", hint, test.hint)
			}
			if !errors.Is(got, test.err) {
				t.Error("the cause is lost")
			}
		})
	}
	if cluster.Explain(nil) != nil {
		t.Error("nil was explained")
	}
}

// TestConnectSendsNothing connects to an address where nobody listens.
func TestConnectSendsNothing(t *testing.T) {
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = ptr.To("testdata/kubeconfig.yaml")
	client, err := cluster.Connect(flags)
	if err != nil {
		t.Fatal(err)
	}
	if client.Namespace != "shop" || client.Context != "closed" || client.Config.UserAgent != cluster.UserAgent {
		t.Errorf("namespace %s, context %s, user agent %s", client.Namespace, client.Context, client.Config.UserAgent)
	}
}
