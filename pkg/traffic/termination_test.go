package traffic

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func trialWorkload() *cluster.Workload {
	return &cluster.Workload{
		Ref:    release.Workload{Kind: "deployment", Name: "shop-blue"},
		Object: &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"labels": map[string]any{cluster.LabelRelease: "shop"}}}},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{
				Labels:      map[string]string{"app": "shop", "version": "blue"},
				Annotations: map[string]string{"prometheus.io/scrape": "true", "sidecar": "yes"},
			},
			Spec: corev1.PodSpec{
				Containers:                    []corev1.Container{{Name: "app", Image: "shop:1", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}},
				TerminationGracePeriodSeconds: ptr.To[int64](0),
			},
		},
	}
}

// endings are the ways in which a server ends.
type ending func(server *httptest.Server, w http.ResponseWriter, ended bool)

// answers writes an answer in a server's own words.
func answers(w http.ResponseWriter, words string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = conn.Write([]byte(words))
	_ = conn.Close()
}

func TestTerminationTrial(t *testing.T) {
	closes := func(_ *httptest.Server, w http.ResponseWriter, ended bool) {
		if ended {
			w.Header().Set("Connection", "close")
		}
	}
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "",
		errors.New(`User "bot" cannot create resource "pods" in API group "" in the namespace "shop"`))
	for name, test := range map[string]struct {
		serve    ending
		cut      bool // the deletion closes the connection
		unready  bool
		refused  error
		graceful bool
		message  string
	}{
		"graceful":            {serve: closes, graceful: true, message: "answered 1 requests on the connection that it had, the last with `Connection: close`, and lost none"},
		"closes without word": {serve: closes, cut: true, message: "the connection ended without `Connection: close`, and one request was lost"},
		"never closes":        {serve: func(*httptest.Server, http.ResponseWriter, bool) {}, message: "never said `Connection: close`"},
		"fails while it ends": {serve: func(_ *httptest.Server, w http.ResponseWriter, ended bool) {
			if ended {
				w.Header().Set("Connection", "close")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}, message: "GET /health answered 503 Service Unavailable"},
		"keeps no connection": {serve: func(_ *httptest.Server, w http.ResponseWriter, _ bool) { w.Header().Set("Connection", "close") }, message: "keeps no connection"},
		"unhealthy":           {serve: func(_ *httptest.Server, w http.ResponseWriter, _ bool) { w.WriteHeader(http.StatusInternalServerError) }, message: "answered 500 Internal Server Error before anything was deleted"},
		"unhealthy in its own words": {serve: func(_ *httptest.Server, w http.ResponseWriter, _ bool) {
			answers(w, "HTTP/1.1 500 planted\r\nContent-Length: 0\r\n\r\n")
		}, message: "answered 500 Internal Server Error before anything was deleted"},
		"no HTTP":     {serve: func(_ *httptest.Server, w http.ResponseWriter, _ bool) { answers(w, "planted planted-words\r\n") }, message: "did not answer: malformed HTTP"},
		"never ready": {serve: closes, unready: true, message: "is not ready"},
		"not allowed": {serve: closes, refused: refused, message: "missing right: verb create on resource pods in namespace shop, for user bot"},
	} {
		t.Run(name, func(t *testing.T) {
			var ended atomic.Bool
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.serve(server, w, ended.Load()) }))
			defer server.Close()
			client, clientset := clustertest.New()
			var spare *corev1.Pod
			clientset.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				if test.refused != nil {
					return true, nil, test.refused
				}
				spare = action.(clienttesting.CreateAction).GetObject().(*corev1.Pod)
				spare.UID = "spare"
				if !test.unready {
					spare.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
				}
				return false, nil, nil
			})
			clientset.PrependReactor("delete", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				options := action.(clienttesting.DeleteActionImpl).DeleteOptions
				if options.Preconditions == nil || *options.Preconditions.UID != "spare" || options.GracePeriodSeconds != nil {
					t.Errorf("deletion with %+v", options)
				}
				ended.Store(true)
				if test.cut {
					server.CloseClientConnections()
				}
				return false, nil, nil
			})
			trial := &terminationTrial{
				pods: client.Kubernetes.CoreV1().Pods("shop"), clock: clock.RealClock{}, probe: release.HTTPProbe{Path: "/health"},
				dial: func(context.Context, string, int) (net.Conn, error) {
					return net.Dial("tcp", server.Listener.Addr().String())
				},
				ready: 20 * time.Millisecond, poll: time.Millisecond, interval: time.Millisecond,
			}
			got, err := trial.run(context.Background(), "shop", trialWorkload())
			if err != nil || got.Graceful != test.graceful || !strings.Contains(got.Message, test.message) || strings.Contains(got.Message, "planted") {
				t.Errorf("%+v, %v; want %v, %q", got, err, test.graceful, test.message)
			}
			if got.Image != "shop:1" || len(got.ConfigHash) != 64 {
				t.Errorf("image %q, hash %q", got.Image, got.ConfigHash)
			}
			wantNoPods(t, client)
		})
	}
}

func wantNoPods(t *testing.T, client *cluster.Client) {
	t.Helper()
	pods, err := client.Kubernetes.CoreV1().Pods("shop").List(context.Background(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 0 {
		t.Errorf("%d pods are left, %v", len(pods.Items), err)
	}
}

// TestTerminationTrialCleansUp ends the context in the middle of a trial.
func TestTerminationTrialCleansUp(t *testing.T) {
	client, clientset := clustertest.New()
	clientset.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		pod := action.(clienttesting.CreateAction).GetObject().(*corev1.Pod)
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		return false, nil, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	trial := &terminationTrial{
		pods: client.Kubernetes.CoreV1().Pods("shop"), clock: clock.RealClock{}, probe: release.HTTPProbe{Path: "/"},
		dial: func(ctx context.Context, _ string, _ int) (net.Conn, error) {
			cancel()
			return nil, ctx.Err()
		},
		ready: time.Second, poll: time.Millisecond, interval: time.Millisecond,
	}
	if _, err := trial.run(ctx, "shop", trialWorkload()); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	wantNoPods(t, client)
}

func TestSparePodBelongsToNobody(t *testing.T) {
	spare := sparePod("shop", trialWorkload())
	if len(spare.Labels) != 2 || spare.Labels[cluster.LabelRelease] != "shop" || spare.Labels[LabelPurpose] != PurposeTermination {
		t.Errorf("labels %v", spare.Labels)
	}
	if len(spare.OwnerReferences) != 0 || len(spare.Annotations) != 1 || *spare.Spec.ActiveDeadlineSeconds != 300 {
		t.Errorf("%+v", spare)
	}
}
