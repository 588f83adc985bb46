package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// lokiAt is the Loki at an address, for a shop whose green pods say app_version
// v2, and wrote a line a minute and a half ago.
func lokiAt(t *testing.T, address string, objects ...runtime.Object) *Loki {
	t.Helper()
	shop := newShop(t, append(objects, deployment("green", "v2", 2))...)
	shop.release.Spec.Logs.Loki = &release.Loki{URL: address, VersionLabel: "app.version", Tenant: "team"}
	shop.release.Spec.Metrics.VersionLabel = "version"
	loki, err := NewLoki(shop.client, shop.release, clocktesting.NewFakePassiveClock(start))
	if err != nil {
		t.Fatal(err)
	}
	loki.written = func(context.Context, podName) (time.Time, error) { return start.Add(-90 * time.Second), nil }
	return loki
}

// green are two pods of it, one of which is on its way out.
func green() []runtime.Object {
	one, gone := pod("shop-green-1", "v2", true, 0), pod("shop-green-2", "v2", true, 0)
	one.Labels["app.version"], gone.Labels["app.version"] = "2.0", "2.0"
	gone.Status.Phase = "Failed"
	return []runtime.Object{one, gone}
}

func TestLokiIsAskedForTheStreamsOfAColour(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		asked = append(asked, r.URL.Path+" "+strings.Join(query["match[]"], " ")+query.Get("query"))
		if r.Header.Get("X-Scope-OrgID") != "team" || query.Get("start") != fmt.Sprint(start.Add(-24*time.Hour).UnixNano()) {
			t.Errorf("asked with %v from %s", r.Header, query.Get("start"))
		}
		switch {
		case len(query["match[]"]) == 1:
			_, _ = fmt.Fprint(w, `{"status":"success","data":[{"pod":"shop-green-1","app_version":"2.0"}]}`)
		case query.Has("match[]"):
			_, _ = fmt.Fprint(w, `{"status":"success","data":[{"k8s_pod_name":"shop-green-1","app_version":"1.9"},{"pod":"shop-green-1","app_version":"1.9"},{"pod":"shop-green-1"}]}`)
		default:
			_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[["%d","password=kept-to-itself"]]}]}}`, start.Add(-80*time.Second).UnixNano())
		}
	}))
	defer server.Close()
	logs, err := lokiAt(t, server.URL+"/base", green()...).Logs(t.Context(), "green")
	if err != nil {
		t.Fatal(err)
	}
	want := Logs{Label: "app_version", Values: []string{"2.0"}, Selector: `{namespace="shop",app_version=~"2\\.0"}`, Streams: 1, Pods: 1, Sought: 1,
		Strays:   []Stray{{"shop-green-1", ""}, {"shop-green-1", "1.9"}},
		Followed: []Followed{{Pod: "shop-green-1", Written: start.Add(-90 * time.Second), Shipped: start.Add(-80 * time.Second).UTC()}}}
	if diff := cmp.Diff(want, logs); diff != "" {
		t.Error(diff)
	}
	stray := func(label string) string {
		return `{namespace="shop",` + label + `=~"shop-green-1",app_version!~"2\\.0"}`
	}
	if diff := cmp.Diff([]string{
		"/base/loki/api/v1/series " + want.Selector,
		"/base/loki/api/v1/series " + stray("pod") + " " + stray("pod_name") + " " + stray("k8s_pod_name") + " " + stray("kubernetes_pod_name"),
		`/base/loki/api/v1/query_range {namespace="shop",app_version=~"2\\.0",pod="shop-green-1"}`,
	}, asked); diff != "" {
		t.Error(diff)
	}
}

// The label of the metrics tells the colours where the pods have none of the
// logs' own.
func TestLogsAreToldByTheLabelOfTheMetricsToo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, map[bool]string{true: `{"status":"success","data":{"resultType":"streams","result":[]}}`, false: `{"status":"success","data":[]}`}[r.URL.Query().Has("query")])
	}))
	defer server.Close()
	loki := lokiAt(t, server.URL, pod("shop-green-1", "v2", true, 0))
	logs, err := loki.Logs(t.Context(), "green")
	if err != nil || logs.Selector != `{namespace="shop",app_version=~"v2"}` || logs.Streams != 0 || !logs.Followed[0].Shipped.IsZero() {
		t.Errorf("%+v, %v", logs, err)
	}
	loki.key = "other"
	if _, err := loki.Logs(t.Context(), "green"); err == nil || !strings.Contains(err.Error(), "its pods have no label app_version") || release.HintOf(err) == "" {
		t.Errorf("%v, want that nothing tells the colours", err)
	}
}

func TestAColourWithoutPodsAsksNothing(t *testing.T) {
	logs, err := lokiAt(t, "http://127.0.0.1:1").Logs(t.Context(), "green")
	if err != nil || logs.Pods != 0 || logs.Selector != "" {
		t.Errorf("%+v, %v", logs, err)
	}
}

func TestAPodWhoseLogCannotBeReadIsNoFaultOfLoki(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, map[bool]string{true: `{"status":"success","data":{"resultType":"streams","result":[]}}`, false: `{"status":"success","data":[{}]}`}[r.URL.Query().Has("query")])
	}))
	defer server.Close()
	loki := lokiAt(t, server.URL, green()...)
	loki.written = func(context.Context, podName) (time.Time, error) { return time.Time{}, errors.New("forbidden") }
	if logs, err := loki.Logs(t.Context(), "green"); err != nil || logs.Followed[0].Unread != "forbidden" {
		t.Errorf("%+v, %v", logs, err)
	}
}

// serverFaults are the ways in which a server that checks ask may be at fault,
// with what is said of each. No answer of them is taken for one.
func serverFaults() map[string]struct {
	serve http.HandlerFunc
	says  string
} {
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	return map[string]struct {
		serve http.HandlerFunc
		says  string
	}{
		"slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer in time"},
		"slow in the body": {func(w http.ResponseWriter, r *http.Request) {
			text(200, "{")(w, r)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "no answer in time"},
		"HTML":           {text(200, "<html>"), "its answer makes no sense"},
		"cut off":        {text(200, `{"status":"success","data":[{"a"`), "its answer makes no sense"},
		"another shape":  {text(200, `{"status":["x"],"dashboard":7}`), "its answer makes no sense"},
		"null":           {text(200, `null`), "its answer is no "},
		"an error":       {text(500, "password=kept-to-itself"), "it answered with status 500"},
		"a login":        {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, "it answered with status 302"},
		"refused":        {text(401, "no org id"), "it doesn't let us: status 401"},
		"something else": {text(404, "no such page"), "or its API has another path"},
		"another protocol": {func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = connection.Write([]byte("220 kept-to-itself ESMTP\r\n"))
				_ = connection.Close()
			}
		}, "malformed HTTP"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(" ", jsonLimit+1)))
		}, "its answer is larger than 4 MiB"},
	}
}

func TestLokiFaults(t *testing.T) {
	for name, fault := range serverFaults() {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(fault.serve)
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), patience(name))
			defer cancel()
			loki := lokiAt(t, strings.Replace(server.URL, "//", "//me:kept-to-itself@", 1), green()...)
			_, err := loki.Logs(ctx, "green")
			if err == nil || !strings.Contains(err.Error(), fault.says) || strings.Contains(err.Error(), "kept-to-itself") {
				t.Errorf("%v, want %q without the password", err, fault.says)
			}
		})
	}
	t.Run("stopped", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if _, err := lokiAt(t, server.URL, green()...).Logs(t.Context(), "green"); err == nil || !strings.Contains(err.Error(), "it can't be asked") || strings.Contains(err.Error(), "series") {
			t.Errorf("%v, want that it can't be asked, without the address", err)
		}
	})
	for name, entry := range map[string]string{"a time that is none": `["now","x"]`, "a line alone": `["x"]`, "nothing": `[]`, "a number": `[7]`} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"streams","result":[{"values":[%s]}]}}`, entry)
			}))
			defer server.Close()
			if _, err := lokiAt(t, server.URL).newest(t.Context(), "{}"); err == nil || !strings.Contains(err.Error(), "a line without a time") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestALokiWithoutAnAddress(t *testing.T) {
	shop := newShop(t)
	if loki, err := NewLoki(shop.client, shop.release, clocktesting.NewFakePassiveClock(start)); loki != nil || err != nil {
		t.Errorf("none is declared: %v, %v", loki, err)
	}
	shop.release.Spec.Logs.Loki = &release.Loki{URL: "http://me:kept-to-itself%zz@loki"}
	if _, err := NewLoki(shop.client, shop.release, clocktesting.NewFakePassiveClock(start)); err == nil || strings.Contains(err.Error(), "kept") {
		t.Errorf("%v, want an error without the password", err)
	}
	if _, err := url.Parse(shop.release.Spec.Logs.Loki.URL); err == nil {
		t.Error("the address is one")
	}
}
