package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

func TestPrintsSummaryAndProgress(t *testing.T) {
	for status, want := range map[int]error{http.StatusOK: nil, http.StatusServiceUnavailable: errLost} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Version", "v2.4.0")
			w.WriteHeader(status)
		}))
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), []string{"-url", server.URL, "-rate", "100", "-requests", "150", "-keep-alive", "2", "-fresh", "1"}, &stdout, &stderr)
		server.Close()
		if !errors.Is(err, want) {
			t.Errorf("%d: run() = %v, want %v", status, err, want)
		}
		var counts clients.Counts
		if err := json.Unmarshal(stdout.Bytes(), &counts); err != nil {
			t.Fatalf("summary %q: %v", stdout.String(), err)
		}
		if counts.Requests != 150 || counts.ByVersion["v2.4.0"] != 150 || (counts.Failed == 150) != (want != nil) {
			t.Errorf("%d: summary = %+v", status, counts)
		}
		if !strings.Contains(stderr.String(), "versions=map[v2.4.0:") {
			t.Errorf("%d: no progress on stderr: %q", status, stderr.String())
		}
	}
}

func TestRefusesBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-rate", "x"}, {"-url", "shop"}, {"http://shop"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil || errors.Is(err, errLost) {
			t.Errorf("run(%v) = %v, want an error", args, err)
		}
	}
}
