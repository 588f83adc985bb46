package preflight

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Whatever a database, a Prometheus, an Alertmanager and a Loki do instead of
// answering, nobody waits for longer than was asked for; what they know is unknown,
// for a reason, and blocks where it is critical.
func TestWhatDoesNotAnswerIsUnknown(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"hangs":    func(net.Conn) {},
		"hangs up": func(conn net.Conn) { _ = conn.Close() },
		"garbage": func(conn net.Conn) {
			_, _ = conn.Write([]byte("\x00\xff\x16\x03\x01garbage\r\n\r\n"))
			_ = conn.Close()
		},
		"garbage, and hangs":   func(conn net.Conn) { _, _ = conn.Write([]byte("\x00\xff\x16\x03\x01garbage\r\n\r\n")) },
		"endless garbage":      func(conn net.Conn) { endlessly(conn, []byte("garbage"), time.Microsecond) },
		"an answer that hangs": func(conn net.Conn) { _, _ = conn.Write([]byte(answered("application/json", ""))) },
		"HTTP that trickles": func(conn net.Conn) {
			_, _ = conn.Write([]byte(answered("application/json", "[")))
			endlessly(conn, []byte(" "), 20*time.Millisecond)
		},
		// AuthenticationOk, and then parameters without end.
		"PostgreSQL that trickles": func(conn net.Conn) {
			_, _ = conn.Write([]byte("R\x00\x00\x00\x08\x00\x00\x00\x00"))
			endlessly(conn, []byte("S\x00\x00\x00\x08a\x00b\x00"), 20*time.Millisecond)
		},
		"a page":                speaking("text/html", "<html><body>Log in</body></html>"),
		"nothing":               speaking("application/json", ""),
		"null":                  speaking("application/json", "null"),
		"an object":             speaking("application/json", "{}"),
		"a list of nothing":     speaking("application/json", "[{}]"),
		"a list of lists":       speaking("application/json", "[[]]"),
		"a number":              speaking("application/json", "42"),
		"success of nothing":    speaking("application/json", `{"status":"success"}`),
		"success of null":       speaking("application/json", `{"status":"success","data":null}`),
		"a sample of nothing":   speaking("application/json", `{"status":"success","data":{"resultType":"vector","result":[{}]}}`),
		"a sample that is null": speaking("application/json", `{"status":"success","data":{"resultType":"vector","result":[null]}}`),
		"a matrix":              speaking("application/json", `{"status":"success","data":{"resultType":"matrix","result":[]}}`),
		"an answer cut short":   speaking("application/json", `{"status":"success","data":{"resultType":"vec`),
		"a word for an answer":  speaking("application/json", `{"status":"success","data":{"resultType":"vector","result":"none"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			report := Evaluate(collectedOf(t, listening(t, serve)), Catalogue(), StageDeploy)
			for id, critical := range map[string]bool{
				"BG-DB-01": true, "BG-DB-02": true, "BG-DB-03": true, "BG-DB-05": true,
				"BG-MON-01": true, "BG-MON-02": true, "BG-MON-04": false, "BG-MON-05": true, "BG-LOG-01": false, "BG-LOG-02": false,
			} {
				for _, finding := range findingsOf(report, id) {
					if finding.Outcome != Unknown || finding.Cause == "" || finding.Cause == notLookedAt || finding.Blocks != critical {
						t.Errorf("%s of %s: %s: %s, blocks %t; want unknown, with a reason, blocks %t", id, finding.Subject, finding.Outcome, finding.Cause, finding.Blocks, critical)
					}
				}
				if slices.Contains(report.Blocking, id) != critical {
					t.Errorf("%s is not among what blocks as it should be: %v", id, report.Blocking)
				}
			}
		})
	}
}

// collectedOf are the facts of a release all of whose servers are at one address,
// read within the time that was given.
func collectedOf(t *testing.T, address string) *Facts {
	t.Helper()
	const patience, hung = time.Second, time.Minute
	dsn := "postgres://monitor@" + address + "/shop?sslmode=disable"
	t.Setenv("MONITOR_URL", dsn)
	in := inputs(t, dsn, "3", nil)
	in.Release.Spec.Metrics = release.Metrics{Prometheus: &release.Prometheus{URL: "http://" + address}, Alertmanager: "http://" + address, VersionLabel: "version", Provider: "http"}
	in.Release.Spec.Logs.Loki = &release.Loki{URL: "http://" + address, VersionLabel: "app_version"}
	found := make(chan *Facts, 1)
	go func() {
		setUp, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var err error
		if in.Sources, _, err = measure.NewSources(setUp, in.Client, in.Release, in.Clock); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		found <- Collect(ctx, in)
	}()
	select {
	case facts := <-found:
		return facts
	case <-time.After(hung):
		t.Fatal("it still waits")
		return nil
	}
}

// listening is the address of a server on this machine that does with each
// connection, once it has been asked something, what it is told to.
func listening(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				if _, err := conn.Read(make([]byte, 4096)); err == nil {
					serve(conn)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// endlessly writes the same until nobody reads it.
func endlessly(conn net.Conn, text []byte, pause time.Duration) {
	next := time.NewTicker(pause)
	defer next.Stop()
	for range next.C {
		if _, err := conn.Write(text); err != nil {
			return
		}
	}
}

// speaking answers every question of HTTP alike.
func speaking(contentType, body string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Write([]byte(answered(contentType, body)))
		_ = conn.Close()
	}
}

// answered is an answer of HTTP that ends with the connection.
func answered(contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n%s", http.StatusOK, contentType, body)
}
