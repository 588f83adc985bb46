package measure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A colour that had no request yet is told as the other one is.
func TestSeriesAreToldAsTheGateDoes(t *testing.T) {
	const blue, green = `{namespace="shop",version="v1"}`, `{namespace="shop",version="v2"}`
	answers := map[string]string{
		"count(http_requests_total" + blue + ")": vector("3"), "count(" + blue + ")": vector("40"),
		"count(http_request_duration_seconds_bucket" + blue + ")":  vector("9"),
		"time() - max(timestamp(http_requests_total" + blue + "))": vector("5"),
		"count by (le) (http_request_duration_seconds_bucket" + blue + ")": `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"le":"+Inf"},"value":[1,"1"]},{"metric":{"le":"0.3"},"value":[1,"1"]},{"metric":{"le":"0.1"},"value":[1,"1"]}]}}`,
		"count(" + green + ")": vector("30"),
	}
	server := promServer(t, func(query string) string {
		if answer, found := answers[query]; found {
			return answer
		}
		return vector()
	})
	for color, want := range map[string]Series{
		"green": {Selector: green, Total: 30},
		"blue":  {Selector: blue, Total: 40, Requests: 3, Latency: 9, Age: 5 * time.Second, Bounds: []float64{0.1, 0.3}},
	} {
		got, err := server.Series(t.Context(), color)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", color, err, diff)
		}
	}
}

func TestInspectionsKeepTheAddress(t *testing.T) {
	page := httptest.NewServer(http.NotFoundHandler())
	server := promAt(t, page)
	if PrometheusOf([]Source{&total{}, server}) != server || PrometheusOf([]Source{&total{}}) != nil {
		t.Error("the server is not found among the sources, or one is that is not there")
	}
	page.Close()
	_, scrape := server.ScrapeAge(t.Context())
	_, series := server.Series(t.Context(), "green")
	_, rules := server.AlertRules(t.Context())
	for name, err := range map[string]error{"scrape age": scrape, "series": series, "alert rules": rules} {
		if err == nil || strings.Contains(err.Error(), page.URL) {
			t.Errorf("%s: %v, want an error without the address", name, err)
		}
	}
	idle := promServer(t, func(string) string { return vector() })
	if _, err := idle.ScrapeAge(t.Context()); fmt.Sprint(err) != "it scrapes nothing" {
		t.Errorf("%v, want that it scrapes nothing", err)
	}
}
