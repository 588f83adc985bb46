package traffic

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// conversation is a run of HTTP/1.1 requests on one connection, written by
// hand so that no client opens another connection when this one ends.
type conversation struct {
	conn    net.Conn
	answers *bufio.Reader
	probe   release.HTTPProbe
	timeout time.Duration
}

// answer is what one response says about its connection.
type answer struct {
	// good: the status is what the probe expects.
	good bool
	// closes: the server said that it closes the connection.
	closes bool
	status string
}

func newConversation(conn net.Conn, probe release.HTTPProbe) *conversation {
	timeout := probe.Timeout.Std()
	if timeout <= 0 {
		timeout = trialAnswer
	}
	return &conversation{conn: conn, answers: bufio.NewReader(conn), probe: probe, timeout: timeout}
}

func (c *conversation) close() { _ = c.conn.Close() }

// subject is the request in words.
func (c *conversation) subject() string { return c.method() + " " + c.probe.Path }

func (c *conversation) method() string {
	if c.probe.Method == "" {
		return http.MethodGet
	}
	return c.probe.Method
}

// ask sends one request and reads its whole answer. The connection can't be
// used again after an error.
func (c *conversation) ask(ctx context.Context) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, c.method(), "http://pod"+c.probe.Path, strings.NewReader(c.probe.Body))
	if err != nil {
		return answer{}, err
	}
	for name, value := range c.probe.Headers {
		request.Header.Set(name, value)
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
		}
	}
	stop := context.AfterFunc(ctx, c.close)
	defer stop()
	if err := request.Write(c.conn); err != nil {
		return answer{}, c.reason(ctx, err)
	}
	response, err := http.ReadResponse(c.answers, request)
	if err != nil {
		return answer{}, c.reason(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return answer{}, c.reason(ctx, err)
	}
	return answer{good: c.expected(response.StatusCode), closes: response.Close, status: statusOf(response)}, nil
}

// statusOf is the status of an answer by its code: its words are the pod's.
func statusOf(response *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, http.StatusText(response.StatusCode)))
}

// reason says that a connection was closed by our own limit, when it was, and
// quotes nothing of an answer.
func (c *conversation) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer within %s", c.timeout)
	}
	return cluster.Unquoted(err)
}

// expected compares a status code with the probe's: any 2xx unless it says.
func (c *conversation) expected(code int) bool {
	if c.probe.Status != 0 {
		return code == c.probe.Status
	}
	return code >= 200 && code < 300
}
