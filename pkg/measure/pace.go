package measure

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

const (
	// requestsPerSecond is what all scrapes together may ask of the API
	// server and, through it, of the pods.
	requestsPerSecond = 20
	// firstPause and longestPause bound how long a 429 without Retry-After
	// silences the scrapes; each further one in a row doubles the pause.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// pace spaces requests out, and pauses them when asked to.
type pace struct {
	clock   clock.Clock
	limiter *rate.Limiter

	mu     sync.Mutex
	until  time.Time
	paused time.Duration
}

func newPace(clock clock.Clock) *pace {
	return &pace{clock: clock, limiter: rate.NewLimiter(requestsPerSecond, requestsPerSecond)}
}

// wait returns when the next request may be sent. It fails at once when that
// is after the context's deadline or when requests are paused: a late reading
// is worth less than an honest one.
func (p *pace) wait(ctx context.Context) error {
	if rest := p.rest(); rest > 0 {
		return fmt.Errorf("asked to send fewer requests (429); the next one is in %s", rest.Round(100*time.Millisecond))
	}
	now := p.clock.Now()
	reservation := p.limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay <= 0 {
		return ctx.Err()
	}
	timer := p.clock.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		reservation.CancelAt(p.clock.Now())
		return fmt.Errorf("wait for a turn among %d requests a second: %w", requestsPerSecond, ctx.Err())
	}
}

// rest is how long requests are still paused.
func (p *pace) rest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(p.clock.Now())
}

// heed takes note of an answer, a pod's own or the API server's, that asks
// for fewer requests; any other ends the doubling.
func (p *pace) heed(response *http.Response, err error) {
	switch {
	case apierrors.IsTooManyRequests(err):
		seconds, _ := apierrors.SuggestsClientDelay(err)
		p.pause(time.Duration(seconds) * time.Second)
	case err == nil && response.StatusCode == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // a date or nothing: our own pause
		p.pause(time.Duration(seconds) * time.Second)
	case err == nil:
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.clock.Now().Before(p.until) {
			p.paused = 0
		}
	}
}

// pause silences the scrapes for as long as asked, or for our own time.
func (p *pace) pause(asked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if now.Before(p.until) {
		return // the answer to a request that was under way already
	}
	if asked <= 0 {
		asked = max(firstPause, 2*p.paused)
	}
	p.paused = min(asked, longestPause)
	p.until = now.Add(p.paused)
}
