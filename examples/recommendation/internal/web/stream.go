package web

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it, to tell a WebSocket from another answer
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// streamPath is where a WebSocket is opened.
const streamPath = "/recommendations/stream"

// stream is a WebSocket that stays open until the client ends it. It says
// nothing: what it is there for is to be open while traffic moves.
func (s Service) stream(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		answer(w, http.StatusUpgradeRequired, map[string]string{"error": "open a WebSocket here"})
		return
	}
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	defer func() { _ = connection.Close() }() // the client is gone
	if err := connection.SetDeadline(time.Time{}); err != nil {
		return
	}
	if err := s.accept(buffered.Writer, key); err != nil {
		return // the client is gone
	}
	_, _ = io.Copy(io.Discard, buffered) // it ends when the client does
}

// accept answers the handshake.
func (s Service) accept(to *bufio.Writer, key string) error {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see the import
	_, err := fmt.Fprintf(to, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nX-Version: %s\r\nX-Color: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]), s.Version, s.Color)
	if err != nil {
		return fmt.Errorf("answer the handshake: %w", err)
	}
	if err := to.Flush(); err != nil {
		return fmt.Errorf("answer the handshake: %w", err)
	}
	return nil
}
