package web

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A client that goes away leaves no error in the logs, which are read when the
// next release is checked; a database that fails does.
func TestAClientThatWentAwayIsNoError(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"the client went away": {gone, `"level":"INFO"`},
		"the database failed":  {context.Background(), `"level":"ERROR"`},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			service := Service{Logger: slog.New(slog.NewJSONHandler(&logged, nil))}
			answer := httptest.NewRecorder()
			service.unavailable(answer, httptest.NewRequestWithContext(c.ctx, http.MethodGet, "/recommendations", nil), errors.New("no answer"))
			if answer.Code != http.StatusServiceUnavailable || !strings.Contains(logged.String(), c.want) {
				t.Errorf("status %d, logged %s, want %s", answer.Code, &logged, c.want)
			}
		})
	}
}
