package journal

import (
	"testing"
	"time"
)

func TestSilent(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 30, 12, 0, time.UTC)
	for name, test := range map[string]struct {
		beat Heartbeat
		want bool
	}{
		"renewed just now":            {Heartbeat{Holder: "ana@laptop/1", Renewed: now, Duration: 15 * time.Second}, false},
		"late, as clocks may be":      {Heartbeat{Holder: "ana@laptop/1", Renewed: now.Add(-29 * time.Second), Duration: 15 * time.Second}, false},
		"long gone":                   {Heartbeat{Holder: "ana@laptop/1", Renewed: now.Add(-31 * time.Second), Duration: 15 * time.Second}, true},
		"a clock ahead of ours":       {Heartbeat{Holder: "ana@laptop/1", Renewed: now.Add(time.Hour), Duration: 15 * time.Second}, false},
		"given up":                    {Heartbeat{Holder: "", Renewed: now, Duration: 15 * time.Second}, true},
		"a holder that never renewed": {Heartbeat{Holder: "ana@laptop/1", Duration: 15 * time.Second}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.beat.Silent(now); got != test.want {
				t.Errorf("Silent = %v, want %v", got, test.want)
			}
		})
	}
}
