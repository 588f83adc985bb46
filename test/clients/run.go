package clients

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Run is traffic under way.
type Run struct {
	options   Options
	attackers []*vegeta.Attacker
	done      chan struct{}

	mu     sync.Mutex
	counts Counts
}

// Start sends traffic until Stop, the end of ctx, or Options.MaxRequests.
func Start(ctx context.Context, options Options) (*Run, error) {
	if err := options.validate(); err != nil {
		return nil, fmt.Errorf("start clients: %w", err)
	}
	spoken, err := options.protocol()
	if err != nil {
		return nil, fmt.Errorf("start clients: %w", err)
	}
	r := &Run{options: options.withDefaults(), done: make(chan struct{}), counts: Counts{
		Tally:     Tally{ByVersion: map[string]int{}},
		KeepAlive: Tally{ByVersion: map[string]int{}},
		Fresh:     Tally{ByVersion: map[string]int{}},
	}}
	var attacks sync.WaitGroup
	dialers := map[ClientKind]*dialer{KeepAlive: {opened: r.opened(KeepAlive)}, Fresh: {opened: r.opened(Fresh)}}
	for i := range options.KeepAlive {
		connection := spoken.kept(dialers[KeepAlive])
		results := r.attack(connection, 1, r.options.share(i, 1))
		attacks.Go(func() {
			r.count(KeepAlive, results)
			connection.hangUp()
		})
	}
	if options.Fresh > 0 {
		results := r.attack(spoken.fresh(dialers[Fresh]), options.Fresh, r.options.share(options.KeepAlive, options.Fresh))
		attacks.Go(func() { r.count(Fresh, results) })
	}
	go func() {
		attacks.Wait()
		close(r.done)
	}()
	go func() {
		select {
		case <-ctx.Done():
			r.stopAttacks()
		case <-r.done:
		}
	}()
	return r, nil
}

// Stop ends the traffic, waits for the requests that are under way, and
// returns the counts. It may be called again.
func (r *Run) Stop() Counts {
	r.stopAttacks()
	<-r.done
	return r.Counts()
}

// Done is closed when the traffic has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Counts returns what was counted so far.
func (r *Run) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts.clone()
}

// attack sends requests over one transport with that many workers.
func (r *Run) attack(transport http.RoundTripper, workers int, p vegeta.Pacer) <-chan *vegeta.Result {
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{
			Transport: transport,
			Timeout:   r.options.Timeout,
			// A redirect is an answer, and following it another request.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
		vegeta.Workers(uint64(workers)),
		vegeta.MaxWorkers(uint64(workers)),
	)
	r.attackers = append(r.attackers, attacker)
	return attacker.Attack(vegeta.NewStaticTargeter(vegeta.Target{
		Method: r.options.Method, URL: r.options.URL, Body: r.options.Body, Header: r.options.Header,
	}), p, 0, "")
}

func (r *Run) stopAttacks() {
	for _, attacker := range r.attackers {
		attacker.Stop()
	}
}

func (r *Run) count(client ClientKind, results <-chan *vegeta.Result) {
	for result := range results {
		r.record(client, result)
	}
}

func (r *Run) record(client ClientKind, result *vegeta.Result) {
	version := result.Headers.Get("X-Version")
	failed := r.failed(result)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, tally := range []*Tally{&r.counts.Tally, r.tally(client)} {
		tally.add(version, result.Headers != nil, failed, result.Latency)
	}
	if failed && len(r.counts.Failures) < r.options.KeepFailures {
		r.counts.Failures = append(r.counts.Failures, failure(client, version, result))
	}
}

// failed judges an answer. vegeta leaves the headers out where there was no
// whole answer; a code may be there all the same.
func (r *Run) failed(result *vegeta.Result) bool {
	switch {
	case result.Headers == nil:
		return true
	case r.options.Strict:
		return result.Code < 200 || result.Code > 299
	default:
		return result.Code >= 500
	}
}

func failure(client ClientKind, version string, result *vegeta.Result) Failure {
	f := Failure{Time: result.Timestamp, Client: client, Kind: Transport, Version: version, Detail: result.Error}
	if result.Headers != nil {
		f.Kind = Status
		if f.Detail == "" {
			f.Detail = strings.TrimSpace(fmt.Sprintf("%d %s", result.Code, http.StatusText(int(result.Code))))
		}
	}
	return f
}

func (r *Run) opened(client ClientKind) func() {
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.counts.Connections++
		r.tally(client).Connections++
	}
}

// tally is called with the lock held.
func (r *Run) tally(client ClientKind) *Tally {
	if client == KeepAlive {
		return &r.counts.KeepAlive
	}
	return &r.counts.Fresh
}
