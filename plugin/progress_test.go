package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// events are a run in short: a reading comes and goes, lines stay.
func events() []rollout.Event {
	return []rollout.Event{
		{Time: noon(), Phase: rollout.Preflight, Level: rollout.Info, Message: "run 1, blue→green"},
		{Time: noon(), Phase: rollout.Switch, Level: rollout.Success, Message: "green=100\nwritten"},
		{Time: noon(), Phase: rollout.Watch, Level: rollout.Info, Message: "error ratio 0.1 %", Transient: true},
		{Time: noon(), Phase: rollout.Watch, Level: rollout.Warning, Message: "prometheus is \x1b[31mdown"},
		{Time: noon(), Phase: rollout.Watch, Level: rollout.Failure, Message: "error ratio 5 %"},
	}
}

func TestProgressElsewhereIsOneLinePerChange(t *testing.T) {
	call, out, errOut, clock := bench(t, unicode())
	shown := newProgress(call.streams, clock)
	for _, event := range events() {
		shown.Show(event)
	}
	shown.Close()
	stamp := noon().Local().Format(time.TimeOnly)
	want := strings.ReplaceAll(`TIME · preflight     run 1, blue→green
TIME √ switch        green=100 written
TIME ‼ watch         prometheus is [31mdown
TIME × watch         error ratio 5 %
`, "TIME", stamp)
	if diff := cmp.Diff(want, errOut.String()); diff != "" {
		t.Error(diff)
	}
	if out.Len() > 0 {
		t.Errorf("progress on stdout: %q", out)
	}
}

func TestProgressOnATerminalRewritesOneLine(t *testing.T) {
	call, _, errOut, clock := bench(t, nil)
	call.streams.err = style{terminal: true, width: 40}
	shown := newProgress(call.streams, clock)
	for _, event := range events()[2:4] {
		shown.Show(event)
	}
	shown.Close()
	stamp := noon().Local().Format(time.TimeOnly)
	live := "      0s . watch         error ratio 0." // cut at 39 columns
	erase := "\r\x1b[K"
	want := erase + live + erase + stamp + " ! watch         prometheus is [31mdown\n" + erase + live + erase
	if diff := cmp.Diff(want, errOut.String()); diff != "" {
		t.Error(diff)
	}
}

func TestProgressLiveLineCountsOn(t *testing.T) {
	call, _, _, clock := bench(t, nil)
	drawn := make(chan string, 8)
	call.streams.ErrOut = writerFunc(func(text string) { drawn <- text })
	call.streams.err = style{terminal: true, width: 80}
	shown := newProgress(call.streams, clock)
	shown.Show(events()[2])
	<-drawn
	clock.Step(time.Second)
	select {
	case text := <-drawn:
		if !strings.Contains(text, "1s . watch") {
			t.Errorf("live line after a second: %q", text)
		}
	case <-time.After(time.Minute): // a hang guard, not a measurement
		t.Fatal("the live line was not drawn again")
	}
	shown.Close()
}

type writerFunc func(text string)

func (w writerFunc) Write(text []byte) (int, error) { w(string(text)); return len(text), nil }
