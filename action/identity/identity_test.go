package identity

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	proof  = "canary-proof"
	secret = "canary-query"
)

// token is an unsigned one that ends at a time.
func token(ends int64) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(fmt.Appendf(nil, `{"exp":%d}`, ends)) + ".c2ln"
}

func TestMint(t *testing.T) {
	ends := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		status  int
		answer  string
		want    string
		expires bool
		says    string
	}{
		"a token":               {200, `{"value":"` + token(ends.Unix()) + `"}`, token(ends.Unix()), true, ""},
		"one that never ends":   {200, `{"value":"opaque"}`, "opaque", false, ""},
		"not allowed":           {403, `{"message":"no"}`, "", false, "GitHub answers 403"},
		"no token":              {200, `{}`, "", false, "holds no token"},
		"no JSON":               {200, `<html>`, "", false, "holds no token"},
		"a claim that is none":  {200, `{"value":"a.!.c"}`, "a.!.c", false, ""},
		"a token without parts": {200, `{"value":"a.b"}`, "a.b", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+proof || r.URL.Query().Get("audience") != "shop cluster" || r.URL.Query().Get("code") != secret {
					t.Errorf("asked as %s with %s", r.URL, r.Header)
				}
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			}))
			defer server.Close()
			variables := map[string]string{addressVariable: server.URL + "/mint?code=" + secret, proofVariable: proof}
			found, err := Mint(t.Context(), func(name string) string { return variables[name] }, nil, "shop cluster")
			if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Fatalf("err = %v, want %q", err, test.says)
			}
			if err != nil {
				quiet(t, err)
				return
			}
			if found.Status.Token != test.want || (found.Status.ExpirationTimestamp != nil) != test.expires || test.expires && !found.Status.ExpirationTimestamp.Time.Equal(ends) {
				t.Errorf("credential = %+v", found.Status.ExpirationTimestamp)
			}
			if found.Kind != "ExecCredential" || found.APIVersion != "client.authentication.k8s.io/v1" {
				t.Errorf("it is a %s of %s", found.Kind, found.APIVersion)
			}
		})
	}
}

// Where a job may not mint any, that is said with what to do, and nothing of what
// proves the job.
func TestMintIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		says      string
	}{
		"no permission":      {nil, addressVariable},
		"no proof":           {map[string]string{addressVariable: "http://127.0.0.1:1/"}, proofVariable},
		"an address of none": {map[string]string{addressVariable: "::" + secret, proofVariable: proof}, "is no address"},
		"nobody answers":     {map[string]string{addressVariable: "http://127.0.0.1:1/?code=" + secret, proofVariable: proof}, "connection refused"},
	} {
		_, err := Mint(t.Context(), func(name string) string { return test.variables[name] }, nil, "a")
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: err = %v, want %q", name, err, test.says)
			continue
		}
		quiet(t, err)
		if name == "no permission" && !strings.Contains(release.HintOf(err), "id-token: write") {
			t.Errorf("the hint is %q", release.HintOf(err))
		}
	}
}

func quiet(t *testing.T, err error) {
	t.Helper()
	if text := err.Error() + release.HintOf(err); strings.Contains(text, proof) || strings.Contains(text, secret) {
		t.Errorf("a secret is in %q", text)
	}
}
