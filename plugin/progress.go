package plugin

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// phaseWidth is the width of the column of phases, that of drain-reverse.
const phaseWidth = 13

// progress shows what a run does: a line per change, and on a terminal one
// more line below them that says what is going on now and for how long.
type progress struct {
	out   io.Writer
	style style
	clock clock.WithTicker

	mutex sync.Mutex
	// phase, message and since are what the live line shows.
	phase   rollout.Phase
	message string
	since   time.Time
	stop    chan struct{}
	stopped chan struct{}
}

// newProgress starts the live line where there is a terminal. Close ends it.
func newProgress(streams Streams, clock clock.WithTicker) *progress {
	p := &progress{out: streams.ErrOut, style: streams.err, clock: clock, stop: make(chan struct{}), stopped: make(chan struct{})}
	if !p.style.terminal {
		close(p.stopped)
		return p
	}
	ticker := clock.NewTicker(time.Second)
	go func() {
		defer close(p.stopped)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C():
				p.mutex.Lock()
				p.draw()
				p.mutex.Unlock()
			}
		}
	}()
	return p
}

// Close takes the live line away. It must be called once.
func (p *progress) Close() {
	close(p.stop)
	<-p.stopped
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.erase()
	p.phase = ""
}

// Show takes one event of a run.
func (p *progress) Show(event rollout.Event) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if event.Transient {
		if event.Phase != p.phase {
			p.phase, p.since = event.Phase, event.Time
		}
		p.message = event.Message
		p.draw()
		return
	}
	p.erase()
	mark := p.style.mark(event.Level)
	fmt.Fprintf(p.out, "%s %s %-*s %s\n", p.style.in(dim, event.Time.Local().Format(time.TimeOnly)), mark, phaseWidth, event.Phase, plain(event.Message))
	p.draw()
}

// mark is the sign of a level.
func (s style) mark(level rollout.Level) string {
	switch level {
	case rollout.Success:
		return s.good()
	case rollout.Warning:
		return s.doubtful()
	case rollout.Failure:
		return s.bad()
	}
	if s.unicode {
		return "·"
	}
	return "-"
}

// The signs of an outcome, with a form for terminals that know only ASCII.
func (s style) good() string     { return s.in(green, s.either("√", "+")) }
func (s style) doubtful() string { return s.in(yellow, s.either("‼", "!")) }
func (s style) bad() string      { return s.in(red, s.either("×", "x")) }

func (s style) either(unicode, ascii string) string {
	if s.unicode {
		return unicode
	}
	return ascii
}

// erase clears the live line (ECMA-48: carriage return, erase in line).
func (p *progress) erase() {
	if p.style.terminal && p.phase != "" {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// draw writes the live line, cut to the width of the terminal so that it
// never wraps: a wrapped line could not be rewritten in place.
func (p *progress) draw() {
	if !p.style.terminal || p.phase == "" {
		return
	}
	elapsed := p.clock.Since(p.since).Truncate(time.Second)
	text := fmt.Sprintf("%8s %s %-*s %s", elapsed, p.style.either("…", "."), phaseWidth, p.phase, plain(p.message))
	fmt.Fprintf(p.out, "\r\x1b[K%s", p.style.in(dim, truncate(text, p.style.width-1)))
}

// truncate cuts text to a number of characters.
func truncate(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width, 0)])
}

// plain makes text that came from elsewhere (a log line, an API error) safe
// for a line of a terminal: no control characters, no line breaks.
func plain(text string) string {
	return strings.Map(func(letter rune) rune {
		switch {
		case letter == '\n' || letter == '\t':
			return ' '
		case letter < ' ' || letter == 0x7f || (letter >= 0x80 && letter < 0xa0):
			return -1
		}
		return letter
	}, text)
}
