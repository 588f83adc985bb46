package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Keychain is where credentials for registries are found: docker's own
// configuration and the helpers that it names, as `docker login` leaves them.
func Keychain() authn.Keychain { return authn.DefaultKeychain }

// Push writes an image to a registry and returns its reference with the
// digest, by which a cluster gets this image and no other. No credential
// stands in an error.
func Push(ctx context.Context, tag name.Tag, built v1.Image, keychain authn.Keychain) (string, error) {
	digest, err := built.Digest()
	if err != nil {
		return "", fmt.Errorf("push image %s: %w", tag, err)
	}
	login, err := authn.Resolve(ctx, keychain, tag.Context())
	if err != nil {
		// The cause is not repeated: a credential helper that fails may have
		// printed a credential.
		return "", release.WithHint(fmt.Errorf("push image %s: the credentials for %s can't be read from docker's configuration", tag, tag.RegistryStr()),
			"docker login "+tag.RegistryStr())
	}
	err = remote.Write(tag, built, remote.WithContext(ctx), remote.WithAuth(login), remote.WithUserAgent(cluster.UserAgent))
	if err != nil {
		return "", explain(tag, err)
	}
	return tag.Name() + "@" + digest.String(), nil
}

// explain says in one sentence why a registry didn't take an image. What the
// registry itself says is cut short and freed of what may be a secret.
func explain(tag name.Tag, err error) error {
	refused := (*transport.Error)(nil)
	switch {
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden):
		return release.WithHint(fmt.Errorf("push image %s: %s refuses it: %s", tag, tag.RegistryStr(), http.StatusText(refused.StatusCode)),
			"log in with an account that may push there: docker login "+tag.RegistryStr())
	case errors.As(err, &refused):
		return fmt.Errorf("push image %s: %s", tag, release.Redacted(refused.Error()))
	case errors.Is(err, context.Canceled):
		return err
	}
	return release.WithHint(fmt.Errorf("push image %s: %s", tag, release.Redacted(err.Error())), "see whether the registry answers: docker login "+tag.RegistryStr())
}
