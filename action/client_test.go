package action

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
)

// hurried is a clock on which every wait is over at once.
type hurried struct{ clock.Clock }

func (hurried) After(time.Duration) <-chan time.Time {
	over := make(chan time.Time, 1)
	over <- time.Time{}
	return over
}

// serving is a client of a server that answers as handler does.
func serving(t *testing.T, handler http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &client{base: server.URL + "/", token: "ghs_abcdef", repository: "acme/shop", clock: hurried{testingclock.NewFakeClock(time.Time{})}}
}

// What reads or replaces is tried again where that may help; what creates never
// is: nobody wants two comments.
func TestWhatMayBeRepeatedIs(t *testing.T) {
	tests := []struct {
		method string
		status int
		want   int32
	}{
		{http.MethodGet, http.StatusOK, 1}, {http.MethodGet, http.StatusBadGateway, 3}, {http.MethodGet, http.StatusTooManyRequests, 3},
		{http.MethodGet, http.StatusForbidden, 1}, {http.MethodGet, http.StatusFound, 1},
		{http.MethodPatch, http.StatusServiceUnavailable, 3}, {http.MethodPatch, http.StatusUnprocessableEntity, 1},
		{http.MethodPost, http.StatusBadGateway, 1}, {http.MethodPost, http.StatusCreated, 1},
	}
	for _, test := range tests {
		var asked atomic.Int32
		c := serving(t, func(answer http.ResponseWriter, request *http.Request) {
			asked.Add(1)
			if request.Header.Get("Authorization") != "Bearer ghs_abcdef" || request.URL.Path != "/repos/acme/shop/x" {
				t.Errorf("asked for %s by %s", request.URL, request.Header.Get("Authorization"))
			}
			if test.status == http.StatusFound {
				answer.Header().Set("Location", "/elsewhere") // which would be told as a wrong path
			}
			answer.WriteHeader(test.status)
		})
		err := c.call(t.Context(), test.method, "x", nil, nil)
		if asked.Load() != test.want || (err == nil) != (test.status < 300) {
			t.Errorf("%s answered with %d is asked %d times, expected %d: %v", test.method, test.status, asked.Load(), test.want, err)
		}
	}
}

func TestARefusalSaysWhy(t *testing.T) {
	c := serving(t, func(answer http.ResponseWriter, _ *http.Request) {
		answer.WriteHeader(http.StatusForbidden)
		_, _ = answer.Write([]byte(`{"message": "Resource not\n::error::accessible"}`))
	})
	err := c.call(t.Context(), http.MethodGet, "x", nil, nil)
	if !readOnly(err) || err.Error() != "403 Forbidden Resource not ::error::accessible" {
		t.Errorf("%v", err)
	}
	if readOnly(errors.New("no route to host")) {
		t.Error("what can't be reached is taken for a token that may only read")
	}
}

// A server that never answers holds nobody up for longer than there is time.
func TestAServerThatIsSilent(t *testing.T) {
	c := serving(t, func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := c.call(ctx, http.MethodGet, "x", nil, nil)
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "ghs_") {
		t.Errorf("%v", err)
	}
}
