package fault_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
)

func TestErrorRateIsExact(t *testing.T) {
	for _, tt := range []struct {
		rate float64
		want int
	}{{0, 0}, {0.05, 50}, {0.5, 500}, {1, 1000}} {
		switches := fault.New(fault.Settings{ErrorRate: tt.rate}, &database{}, slog.New(slog.DiscardHandler))
		handler := switches.Production(http.NotFoundHandler())
		failed := 0
		for range 1000 {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
			if answer.Code == http.StatusInternalServerError {
				failed++
			}
		}
		if failed != tt.want {
			t.Errorf("rate %v failed %d of 1000, want %d", tt.rate, failed, tt.want)
		}
	}
}

func TestPostChangesOnlyWhatItNames(t *testing.T) {
	switches := fault.New(fault.Settings{ErrorRate: 0.1, NotReady: true}, &database{}, slog.New(slog.DiscardHandler))
	if code := send(switches, http.MethodPost, `{"latency":"800ms","notReady":false,"lockMode":"table"}`); code != http.StatusOK {
		t.Fatalf("POST answered %d", code)
	}
	want := fault.Settings{ErrorRate: 0.1, Latency: fault.Duration(800 * time.Millisecond), LockMode: fault.LockTable}
	if diff := cmp.Diff(want, switches.Settings()); diff != "" {
		t.Error(diff)
	}
	send(switches, http.MethodDelete, "")
	if diff := cmp.Diff(fault.Settings{}, switches.Settings()); diff != "" {
		t.Error(diff)
	}
}

func TestPostRefusesWhatMakesNoSense(t *testing.T) {
	for _, body := range []string{
		`{"errorRate":2}`, `{"errorRate":"5%"}`, `{"latency":800}`, `{"latency":"-1s"}`, `{"lockMode":"all"}`,
		`{"leakPerSecond":-1}`, `{"crashAfter":"-1s"}`, `{"eror":1}`, `nonsense`,
	} {
		switches := fault.New(fault.Settings{ErrorRate: 0.1}, &database{}, slog.New(slog.DiscardHandler))
		if code := send(switches, http.MethodPost, body); code != http.StatusBadRequest {
			t.Errorf("POST %s answered %d, want 400", body, code)
		}
		if diff := cmp.Diff(fault.Settings{ErrorRate: 0.1}, switches.Settings()); diff != "" {
			t.Errorf("POST %s changed something: %s", body, diff)
		}
	}
}

func TestRunCrashesWhenToldTo(t *testing.T) {
	switches := fault.New(fault.Settings{}, &database{}, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- switches.Run(t.Context()) }()
	send(switches, http.MethodPost, `{"crashAfter":"0s"}`)
	if err := <-ended; !errors.Is(err, fault.ErrCrash) {
		t.Errorf("Run() = %v, want %v", err, fault.ErrCrash)
	}
}

func TestRunHoldsLocksAndEndsThem(t *testing.T) {
	db := &database{held: make(chan string, 1), released: make(chan string, 1)}
	switches := fault.New(fault.Settings{LockFor: fault.Duration(time.Hour)}, db, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = switches.Run(ctx) }()
	if held := <-db.held; held != "rows" {
		t.Errorf("held %s, want rows", held)
	}
	send(switches, http.MethodDelete, "")
	<-db.released
	send(switches, http.MethodPost, `{"lockFor":"1h","lockMode":"table"}`)
	if held := <-db.held; held != "table" {
		t.Errorf("held %s, want table", held)
	}
	stop()
	<-db.released
}

func TestLockIsHeldOnceEachTimeItIsSet(t *testing.T) {
	db := &database{held: make(chan string, 10), released: make(chan string, 10)}
	switches := fault.New(fault.Settings{}, db, slog.New(slog.DiscardHandler))
	go func() { _ = switches.Run(t.Context()) }()
	for range 2 {
		send(switches, http.MethodPost, `{"lockFor":"1ms"}`)
		<-db.held
		<-db.released
		for switches.Settings().LockFor != 0 {
			time.Sleep(time.Millisecond)
		}
		send(switches, http.MethodPost, `{"errorRate":0.5}`)
	}
	if len(db.held) != 0 {
		t.Errorf("the lock was held %d times more than it was set", len(db.held))
	}
}

func send(handler http.Handler, method, body string) int {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, "/faults", strings.NewReader(body)))
	return answer.Code
}

// database records what the switches ask of it.
type database struct{ held, released chan string }

func (*database) Leak(context.Context) error { return nil }
func (*database) ReturnLeaked()              {}
func (*database) SlowQueries(time.Duration)  {}

func (d *database) HoldRows(ctx context.Context) error  { return d.hold(ctx, "rows") }
func (d *database) HoldTable(ctx context.Context) error { return d.hold(ctx, "table") }

func (d *database) hold(ctx context.Context, what string) error {
	d.held <- what
	<-ctx.Done()
	d.released <- what
	return nil
}
