package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// jobSubject is the job as its token says it, and jobUser as the cluster does.
	jobSubject = "repo:acme/shop:environment:production"
	jobUser    = "github:" + jobSubject
	// audience is for whom tokens are minted, and proof what the job shows for one.
	audience = "shop-cluster"
	proof    = "canary-proof-of-a-job"
	// tokenLife is shorter than a shift.
	tokenLife = 15 * time.Second
)

// issuer signs tokens of a job, as GitHub does, and says by which keys.
type issuer struct {
	t      *testing.T
	signer jose.Signer
	public jose.JSONWebKeySet
	// trusted is where the API server asks for the keys, minting where a job asks
	// for tokens.
	trusted, minting *httptest.Server

	mutex  sync.Mutex
	minted []string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, public: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}}}
	if i.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil); err != nil {
		t.Fatal(err)
	}
	known := http.NewServeMux()
	known.HandleFunc("/.well-known/openid-configuration", i.discover)
	known.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(i.public) })
	i.trusted, i.minting = httptest.NewTLSServer(known), httptest.NewServer(http.HandlerFunc(i.mint))
	t.Cleanup(i.trusted.Close)
	t.Cleanup(i.minting.Close)
	return i
}

// certificate is what the issuer proves itself by.
func (i *issuer) certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.trusted.Certificate().Raw})
}

func (i *issuer) discover(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"issuer": i.trusted.URL, "jwks_uri": i.trusted.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
	})
}

// mint answers as the address does that a runner gives a job.
func (i *issuer) mint(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+proof {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	now := time.Now()
	token, err := jwt.Signed(i.signer).Claims(jwt.Claims{
		Issuer: i.trusted.URL, Subject: jobSubject, Audience: jwt.Audience{r.URL.Query().Get("audience")},
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(tokenLife)), ID: rand.Text(),
	}).Serialize()
	if err != nil {
		i.t.Error(err)
	}
	i.mutex.Lock()
	i.minted = append(i.minted, token)
	i.mutex.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
}

// tokens are those that were minted.
func (i *issuer) tokens() []string {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return append([]string{}, i.minted...)
}
