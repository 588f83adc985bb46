package e2e

import (
	"io"
	"net/http"
)

// webSocket opens a WebSocket by the production route, and fails the test unless
// a version answers it. It stays open until it is closed, at the latest with the
// test.
func (s *scenario) webSocket(version string) io.Closer {
	s.t.Helper()
	url, err := s.shop.URL(s.t.Context(), "/recommendations/stream")
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Host = s.shop.Header().Get("Host")
	request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	response, err := (&http.Transport{}).RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() }) // it may be closed already
	if got := response.Header.Get("X-Version"); response.StatusCode != http.StatusSwitchingProtocols || got != version {
		s.t.Fatalf("the handshake is answered %d by %q, want a WebSocket of %s", response.StatusCode, got, version)
	}
	return response.Body
}
