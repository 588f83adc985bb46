package lab

import (
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// progress tells one line per step that is done, and how long it took.
type progress struct {
	mutex sync.Mutex
	out   io.Writer
	clock clock.PassiveClock
}

// newProgress tells on out.
func newProgress(out io.Writer) *progress {
	return &progress{out: out, clock: clock.RealClock{}}
}

// step does something and tells that it is done, or returns why it is not.
func (p *progress) step(done string, do func() error) error {
	began := p.clock.Now()
	if err := do(); err != nil {
		return err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	took := p.clock.Since(began).Round(100 * time.Millisecond)
	fmt.Fprintf(p.out, "  %-44s %5.1fs\n", done, took.Seconds())
	return nil
}
