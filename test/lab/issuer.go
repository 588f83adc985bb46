package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// authentication is the file that says whose tokens the API server takes beside its
// own. It reads the file anew when that changes.
const authentication = "authentication.yaml"

// Issuer is somebody whose OIDC tokens the API server takes.
type Issuer struct {
	// URL is where it says what its keys are, https, and Certificate what it proves
	// itself by, as PEM.
	URL         string
	Certificate []byte
	// Audience is for whom its tokens are to be, and Prefix stands before the claim
	// sub in the name of the user that a token makes.
	Audience, Prefix string
}

// TrustIssuer has the API server take the tokens of one issuer, and of no other. It
// takes effect once the server has read the file, which may take a minute.
func (l *Lab) TrustIssuer(issuer Issuer) error {
	return l.authenticate([]any{map[string]any{
		"issuer":        map[string]any{"url": issuer.URL, "certificateAuthority": string(issuer.Certificate), "audiences": []string{issuer.Audience}},
		"claimMappings": map[string]any{"username": map[string]any{"claim": "sub", "prefix": issuer.Prefix}},
	}})
}

// TrustNoIssuer undoes [Lab.TrustIssuer].
func (l *Lab) TrustNoIssuer() error { return l.authenticate([]any{}) }

// authenticate replaces the file as a whole, for it is read while it is written.
func (l *Lab) authenticate(issuers []any) error {
	text, err := json.Marshal(map[string]any{"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": issuers})
	if err != nil {
		return fmt.Errorf("write whom the API server trusts: %w", err)
	}
	target := l.layout.file(authentication)
	written, err := os.CreateTemp(filepath.Dir(target), authentication+"-*")
	if err != nil {
		return fmt.Errorf("write whom the API server trusts: %w", err)
	}
	_, err = written.Write(text)
	if closed := written.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(written.Name(), target)
	}
	if err != nil {
		return fmt.Errorf("write whom the API server trusts: %w", err)
	}
	return nil
}
