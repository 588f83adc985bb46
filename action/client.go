package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/utils/clock"
)

// Bounds of what is asked of GitHub: how long one request may take, how often one
// is made that may safely be made again, and how much of an answer is read, in
// bytes.
const (
	requestTime = 10 * time.Second
	mostTries   = 3
	mostAnswer  = 16 << 20
)

// client asks GitHub's REST API about one repository.
type client struct {
	base, token, repository string
	transport               http.RoundTripper
	clock                   clock.Clock
}

// refusedError is an answer other than success.
type refusedError struct {
	status int
	told   string
}

// Error says the status and what the server told.
func (r *refusedError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", r.status, http.StatusText(r.status), r.told))
}

// readOnly reports whether an error is the answer to a token that may not do what
// was asked.
func readOnly(err error) bool {
	var refused *refusedError
	if !errors.As(err, &refused) {
		return false
	}
	return refused.status == http.StatusUnauthorized || refused.status == http.StatusForbidden || refused.status == http.StatusNotFound
}

// call makes one request under the repository, or, where the path begins with a
// slash, under the API's root. What reads or replaces is made again where that may
// help; what creates is made once.
func (c *client) call(ctx context.Context, method, path string, body, answer any) error {
	var failure error
	for try := range mostTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return failure
			case <-c.clock.After(time.Duration(try) * 500 * time.Millisecond):
			}
		}
		failure = c.once(ctx, method, path, body, answer)
		if failure == nil || method == http.MethodPost || !passing(failure) {
			return failure
		}
	}
	return failure
}

// passing reports whether an error may pass.
func passing(err error) bool {
	var refused *refusedError
	return !errors.As(err, &refused) || refused.status == http.StatusTooManyRequests || refused.status >= http.StatusInternalServerError
}

func (c *client) once(ctx context.Context, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	address := strings.TrimRight(c.base, "/") + path
	if !strings.HasPrefix(path, "/") {
		address = strings.TrimRight(c.base, "/") + "/repos/" + c.repository + "/" + path
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	request.Header.Set("User-Agent", "bluegreen-action")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	// The token is for this server alone.
	direct := http.Client{Transport: c.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := direct.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		told := struct{ Message string }{}
		_ = json.Unmarshal(text, &told) // what is no JSON tells nothing
		return &refusedError{response.StatusCode, cut(plain(told.Message), 200)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
