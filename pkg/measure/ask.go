package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

const (
	// askTimeout bounds one question to a server that checks alone look at.
	askTimeout = 5 * time.Second
	// jsonLimit bounds, in bytes, what is read of one answer.
	jsonLimit = 4 << 20
)

// errNotThere says that a server has no such thing, status 404.
var errNotThere = errors.New("it has no such thing")

// errRefused says that a server does not let us, status 401 or 403.
var errRefused = errors.New("it doesn't let us")

// asker asks a server for JSON. No error of it holds the address, the headers or
// what was answered.
type asker struct {
	base      *url.URL
	header    http.Header
	transport http.RoundTripper
}

// newAsker makes one over an address, of the field of the Release that declares
// it.
func newAsker(field, address string, transport http.RoundTripper) (asker, error) {
	base, err := url.Parse(address)
	if err != nil {
		// The cause quotes the address, which may hold a password.
		return asker{}, fmt.Errorf("read %s: the address is not a URL", field)
	}
	return asker{base: base, header: http.Header{}, transport: transport}, nil
}

// get asks for a path, given by its parts, and decodes the answer. Whoever sends
// us elsewhere is not followed: a login page is no answer.
func (a asker) get(ctx context.Context, query url.Values, into any, path ...string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	target := a.base.JoinPath(path...)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return errors.New("it can't be asked: the address is not a URL")
	}
	request.Header = a.header.Clone()
	client := &http.Client{Transport: a.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return cluster.Unquoted(plainError(ctx, err))
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return errNotThere
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: status %d", errRefused, response.StatusCode)
	default:
		return fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, jsonLimit+1))
	switch {
	case ctx.Err() != nil:
		return errors.New("no answer in time")
	case err != nil:
		return errors.New("its answer broke off")
	case len(text) > jsonLimit:
		return fmt.Errorf("its answer is larger than %d MiB", jsonLimit>>20)
	case json.Unmarshal(text, into) != nil:
		return errors.New("its answer makes no sense")
	}
	return nil
}
