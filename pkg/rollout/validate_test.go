package rollout

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A line of a log is quoted without the secrets in it, also where it is cut.
func TestForbiddenLogLineHoldsNoSecret(t *testing.T) {
	runner, _, _ := newRunner(t)
	patterns, err := runner.forbidden()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"postgres://user:planted@host/db", "password=planted", "Authorization: Bearer planted"} {
		for _, before := range []string{"", strings.Repeat("x", 200-len("panic: ")-len(secret)+5)} {
			found, err := firstMatch(strings.NewReader("panic: "+before+secret+"\n"), time.Time{}, patterns, unsilenced)
			if err != nil || !strings.HasPrefix(found, "panic: ") || strings.Contains(found, "plan") || len(found) > 200 {
				t.Errorf("%s: %q, %v", secret, found, err)
			}
		}
	}
}

// What can't heal is not waited for, and the right that is missing is named.
func TestValidationFailsAtOnceWithoutARight(t *testing.T) {
	for name, test := range map[string]struct {
		failure error
		want    Kind
		says    string
	}{
		"a right is missing":   {forbidden("list", "pods", ""), Failed, "missing right: verb list on resource pods in namespace shop"},
		"the workload is gone": {apierrors.NewNotFound(corev1.Resource("pods"), "x"), Failed, "not found"},
		"the server is away":   {apierrors.NewServiceUnavailable("away"), Waiting, "away"},
		"a token is renewed":   {apierrors.NewUnauthorized("expired"), Waiting, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
			prepend("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.failure })
			runner.Release.Spec.Validation.Synthetic = []release.Probe{{Name: "order", HTTP: &release.HTTPProbe{Path: "/"}}}
			for phase, seen := range map[Phase]Observation{
				CleanLogs: runner.cleanLogs(t.Context(), at(CleanLogs)),
				Health:    runner.health(t.Context(), at(Health)),
				Confirm:   runner.confirm(t.Context(), at(Confirm)),
			} {
				if seen.Kind != test.want || !strings.Contains(seen.Message, test.says) {
					t.Errorf("%s = %s (%s), want %s (%s)", phase, seen.Kind, seen.Message, test.want, test.says)
				}
			}
		})
	}
}

// The logs of one pod may be away for good, or for as long as it takes to begin.
func TestLogsThatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		failure error
		want    Kind
		says    string
	}{
		"a right is missing":  {forbidden("get", "pods/log", ""), Failed, "missing right: verb get on resource pods/log in namespace shop"},
		"the pod is gone":     {apierrors.NewNotFound(corev1.Resource("pods"), "shop-green-1"), Waiting, "not found"},
		"it has not begun":    {apierrors.NewBadRequest("container shop is waiting to start"), Waiting, "waiting to start"},
		"the server is away":  {apierrors.NewServiceUnavailable("away"), Waiting, "away"},
		"the stream was lost": {errStopped, Waiting, "emergency"},
	} {
		t.Run(name, func(t *testing.T) {
			if seen := unread(test.failure); seen.Kind != test.want || !strings.Contains(seen.Message, test.says) {
				t.Errorf("%s (%s), want %s (%s)", seen.Kind, seen.Message, test.want, test.says)
			}
		})
	}
}

// probed is a pod with a readiness probe.
func probed(scheme corev1.URIScheme) *corev1.Pod {
	found := pod("green")
	found.Spec.Containers = []corev1.Container{{Name: "shop", ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(8080), Scheme: scheme},
	}}}}
	return found
}

// A readiness probe that stands in for a declared one is judged as the kubelet
// judges it; one over HTTPS is not asked over HTTP.
func TestHealthByTheReadinessProbe(t *testing.T) {
	const denied = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"pods \"shop-green-1\" is forbidden: User \"ana\" cannot get resource \"pods/proxy\" in API group \"\" in the namespace \"shop\""}`
	for name, test := range map[string]struct {
		scheme   corev1.URIScheme
		declared *release.HTTPProbe
		status   int
		body     string
		want     Kind
		says     string
		asked    bool
	}{
		"an answer":                   {"", nil, http.StatusOK, "", Succeeded, "answered 200", true},
		"a redirect":                  {corev1.URISchemeHTTP, nil, http.StatusFound, "", Succeeded, "answered 302", true},
		"a redirect where 2xx is due": {"", &release.HTTPProbe{Path: "/ready"}, http.StatusFound, "", Waiting, "expected 2xx", true},
		"an error":                    {"", nil, http.StatusInternalServerError, "", Waiting, "status 500", true},
		"over HTTPS":                  {corev1.URISchemeHTTPS, nil, http.StatusBadRequest, "", Succeeded, "not declared: health", false},
		"a right is missing":          {"", nil, http.StatusForbidden, denied, Failed, "missing right: verb get on resource pods/proxy in namespace shop", true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked = true
				if test.body != "" {
					w.Header().Set("Content-Type", "application/json")
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer api.Close()
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), probed(test.scheme))
			runner.Client.Config = &rest.Config{Host: api.URL}
			runner.Release.Spec.Validation.Health = test.declared
			seen := runner.health(t.Context(), at(Health))
			if seen.Kind != test.want || !strings.Contains(seen.Message, test.says) || asked != test.asked {
				t.Errorf("health = %s (%s), asked %v; want %s (%s), %v", seen.Kind, seen.Message, asked, test.want, test.says, test.asked)
			}
		})
	}
}

// What a pod has logged since it was ready is no part of its start-up; where no
// probe tells when that was, everything is.
func TestStartUpEndsWhenThePodIsReady(t *testing.T) {
	ready := pod("green")
	ready.Spec.Containers = []corev1.Container{{Name: "shop", ReadinessProbe: &corev1.Probe{}}}
	ready.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(start)}}
	unprobed := ready.DeepCopy()
	unprobed.Spec.Containers[0].ReadinessProbe = nil
	patterns := []*regexp.Regexp{regexp.MustCompile("^ERROR")}
	log := func(at time.Time, text string) string { return at.Format(time.RFC3339Nano) + " " + text + "\n" }
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		log  string
		want string
	}{
		"at start-up":           {ready, log(start.Add(-time.Second), "ERROR no connection"), "ERROR no connection"},
		"while it served":       {ready, log(start.Add(-time.Second), "started") + log(start.Add(time.Minute), "ERROR bad request"), ""},
		"no probe tells":        {unprobed, log(start.Add(time.Minute), "ERROR bad request"), "ERROR bad request"},
		"a line without a time": {ready, "ERROR from somewhere\n", "ERROR from somewhere"},
	} {
		got, err := firstMatch(strings.NewReader(test.log), startedBy(*test.pod), patterns, unsilenced)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
}
