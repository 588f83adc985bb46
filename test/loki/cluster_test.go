package loki

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// shop is a namespace with two colours, and what their pods wrote.
type shop struct {
	namespace string
	pods      []corev1.Pod
	// written are the times of each pod's lines, the oldest first.
	written map[string][]time.Time
}

// newShop has two pods of blue, which is v1, and as many of green, which is v2.
// Each wrote a line every ten seconds for five minutes.
func newShop(namespace string) *shop {
	made := &shop{namespace: namespace, written: map[string][]time.Time{}}
	now := time.Now()
	for color, version := range map[string]string{"blue": "v1", "green": "v2"} {
		for number := range 2 {
			name := fmt.Sprintf("shop-%s-%d", color, number)
			made.pods = append(made.pods, corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "shop", "version": color, "app.version": version}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "sidecar"}}}, Status: corev1.PodStatus{Phase: corev1.PodRunning}})
			for ago := 5 * time.Minute; ago >= 0; ago -= 10 * time.Second {
				made.written[name] = append(made.written[name], now.Add(-ago))
			}
		}
	}
	return made
}

// client is one of an API server that has the shop.
func (s *shop) client(t *testing.T) *cluster.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster.Client{Config: config, Kubernetes: client, Namespace: s.namespace}
}

// serve answers as an API server does, for the little that is there.
func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	core, apps := "/api/v1/namespaces/"+s.namespace, "/apis/apps/v1/namespaces/"+s.namespace
	switch r.Method + " " + r.URL.Path {
	case "GET " + core + "/services/svc-production":
		answer(w, http.StatusOK, &corev1.Service{TypeMeta: kind("v1", "Service"), ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "svc-production"},
			Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "shop", "version": "blue"}}})
	case "GET " + apps + "/deployments/shop-blue":
		answer(w, http.StatusOK, s.deployment("blue"))
	case "GET " + apps + "/deployments/shop-green":
		answer(w, http.StatusOK, s.deployment("green"))
	case "GET " + core + "/pods":
		answer(w, http.StatusOK, s.list(r.URL.Query().Get("labelSelector")))
	default:
		for _, pod := range s.pods {
			if r.URL.Path == core+"/pods/"+pod.Name+"/log" {
				s.log(w, r, pod.Name)
				return
			}
		}
		answer(w, http.StatusNotFound, &metav1.Status{TypeMeta: kind("v1", "Status"), Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound})
	}
}

func (s *shop) deployment(color string) *appsv1.Deployment {
	set := map[string]string{"app": "shop", "version": color}
	return &appsv1.Deployment{TypeMeta: kind("apps/v1", "Deployment"), ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "shop-" + color},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: set},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: set}}}}
}

func (s *shop) list(selector string) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: kind("v1", "PodList")}
	chosen, err := labels.Parse(selector)
	if err != nil {
		return list
	}
	for _, pod := range s.pods {
		if chosen.Matches(labels.Set(pod.Labels)) {
			list.Items = append(list.Items, pod)
		}
	}
	return list
}

// log is what a container wrote since a time, or the last lines of it.
func (s *shop) log(w http.ResponseWriter, r *http.Request, pod string) {
	query, lines := r.URL.Query(), s.written[pod]
	if query.Get("timestamps") != "true" || query.Get("container") != "app" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if since, err := time.Parse(time.RFC3339, query.Get("sinceTime")); err == nil {
		lines = slices.DeleteFunc(slices.Clone(lines), func(line time.Time) bool { return line.Before(since) })
	}
	if query.Get("tailLines") == "1" {
		lines = lines[max(0, len(lines)-1):]
	}
	for _, line := range lines {
		_, _ = fmt.Fprintf(w, "%s token=kept-to-itself\n", line.UTC().Format(time.RFC3339Nano))
	}
}

func answer(w http.ResponseWriter, status int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object)
}

func kind(version, name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: version, Kind: name}
}
