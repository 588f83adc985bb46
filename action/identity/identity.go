// Package identity gets the token by which a job of GitHub proves to others which
// job it is: an OIDC token for one audience, signed by GitHub, that lives for
// minutes. A cluster whose API server trusts GitHub's issuer takes it as a login, so
// that no kubeconfig has to hold a secret.
//
// It is minted anew whenever client-go asks for it, which is when the last one is
// about to end: a shift may last longer than a token (client-go's credential
// plugins, kubernetes.io/docs/reference/access-authn-authz/authentication).
package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The variables by which a runner says where tokens are minted, and what proves
// that this job may ask. They are there where the job has id-token: write.
const (
	addressVariable = "ACTIONS_ID_TOKEN_REQUEST_URL"
	proofVariable   = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// Bounds of one request: its time, and how much of an answer is read, in bytes.
const (
	requestTime = 20 * time.Second
	mostAnswer  = 1 << 20
)

// Mint asks GitHub for a token for an audience and returns it as what client-go
// takes from a credential plugin. No error holds a token, the proof, or what the
// address may hold of them.
func Mint(ctx context.Context, getenv func(string) string, transport http.RoundTripper, audience string) (*clientauthenticationv1.ExecCredential, error) {
	address, err := addressOf(getenv(addressVariable), audience)
	proof := getenv(proofVariable)
	if err == nil && proof == "" {
		err = errors.New("the runner gives no " + proofVariable)
	}
	if err != nil {
		return nil, release.WithHint(fmt.Errorf("mint a token: %w", err), "add id-token: write to the permissions of the job")
	}
	token, err := ask(ctx, transport, address, proof)
	if err != nil {
		return nil, fmt.Errorf("mint a token for audience %q: %w", audience, err)
	}
	return credential(token), nil
}

// addressOf adds the audience to the address at which tokens are minted.
func addressOf(text, audience string) (string, error) {
	if text == "" {
		return "", errors.New("the runner gives no " + addressVariable)
	}
	address, err := url.Parse(text)
	if err != nil || address.Host == "" {
		return "", errors.New(addressVariable + " is no address")
	}
	query := address.Query()
	query.Set("audience", audience)
	address.RawQuery = query.Encode()
	return address.String(), nil
}

func ask(ctx context.Context, transport http.RoundTripper, address, proof string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", errors.New("the address is none")
	}
	request.Header.Set("Authorization", "Bearer "+proof)
	request.Header.Set("Accept", "application/json")
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		var named *url.Error
		if errors.As(err, &named) {
			err = named.Err // the address is left out
		}
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GitHub answers %s", response.Status)
	}
	var answer struct{ Value string }
	if err := json.NewDecoder(io.LimitReader(response.Body, mostAnswer)).Decode(&answer); err != nil || answer.Value == "" {
		return "", errors.New("GitHub's answer holds no token")
	}
	return answer.Value, nil
}

// credential is a token with when it ends, by its own word.
func credential(token string) *clientauthenticationv1.ExecCredential {
	status := &clientauthenticationv1.ExecCredentialStatus{Token: token}
	if ends, says := expiry(token); says {
		status.ExpirationTimestamp = &metav1.Time{Time: ends}
	}
	return &clientauthenticationv1.ExecCredential{
		TypeMeta: metav1.TypeMeta{APIVersion: clientauthenticationv1.SchemeGroupVersion.String(), Kind: "ExecCredential"},
		Status:   status,
	}
}

// expiry reads the claim exp of a JSON Web Token (RFC 7519). Nothing is verified:
// that is for the API server.
func expiry(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}, false
	}
	var said struct{ Exp int64 }
	if err := json.Unmarshal(claims, &said); err != nil || said.Exp == 0 {
		return time.Time{}, false
	}
	return time.Unix(said.Exp, 0), true
}
