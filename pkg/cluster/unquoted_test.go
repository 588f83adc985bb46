package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// TestUnquoted: net/http quotes what a server sent that is no HTTP. None of it is
// repeated, and what the error is stays known.
func TestUnquoted(t *testing.T) {
	const fine = "HTTP/1.1 200 OK\r\n"
	for _, sent := range []string{
		fine + "Content-Length: planted\r\n\r\n", fine + "Content-Length: 1\r\nContent-Length: planted\r\n\r\n", fine + "Content-Length: \r\n\r\n", fine + "Transfer-Encoding: planted\r\n\r\n",
		fine + "Transfer-Encoding: planted\r\nTransfer-Encoding: planted\r\n\r\n", fine + "Transfer-Encoding: chunked\r\nTrailer: Content-Length, planted\r\n\r\n",
		"planted planted-words\r\n", "HTTP/9.9 planted\r\n\r\n", "HTTP/1.1 planted x\r\n\r\n", "HTTP/1.1 200 OK\r\nplanted words\r\n\r\n", "HTTP/1.1 200 OK\r\n planted: x\r\n\r\n",
	} {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = http.ReadRequest(bufio.NewReader(conn)) // an answer before it is asked for is none
				_, _ = io.WriteString(conn, sent)
				_ = conn.Close()
			}
		}()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		_ = listener.Close()
		if err == nil {
			_ = response.Body.Close()
			t.Errorf("%q was an answer", sent)
			continue
		}
		got := cluster.Unquoted(fmt.Errorf("ask: %w", err))
		if !strings.Contains(err.Error(), `"`) && !strings.Contains(err.Error(), "planted") || strings.Contains(got.Error(), "planted") || strings.Contains(got.Error(), `"`) || !errors.Is(got, err) {
			t.Errorf("%q: %v is told as %v", sent, err, got)
		}
	}
	header := textproto.ProtocolError("malformed MIME header line: Set-Cookie planted")
	if got := cluster.Unquoted(header); got.Error() != "malformed MIME header line" || !errors.As(got, &header) {
		t.Errorf("told as %v", got)
	}
	for _, err := range []error{nil, context.Canceled, apierrors.NewServiceUnavailable("dial tcp 10.0.0.1:80: connection refused")} {
		if got := cluster.Unquoted(err); !errors.Is(got, err) || err != nil && got.Error() != err.Error() {
			t.Errorf("%v is told as %v", err, got)
		}
	}
}

// TestPodTransportQuotesNothing: what the API server says of a pod's answer, which
// is no HTTP, goes without that answer, and is the API server's own still.
func TestPodTransportQuotesNothing(t *testing.T) {
	_, client := startServer(t, http.NotFoundHandler(), `error trying to reach service: malformed HTTP response "planted": unexpected EOF`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop-1:8080/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.PodTransport("shop", "shop-1", 8080).RoundTrip(request)
	if err == nil {
		_ = response.Body.Close()
	}
	status := apierrors.APIStatus(nil)
	if err == nil || strings.Contains(err.Error(), "planted") || !strings.Contains(err.Error(), "malformed HTTP response") || !errors.As(err, &status) {
		t.Errorf("told as %v", err)
	}
}
