package migration

import (
	"testing"
	"time"
)

func TestTimeout(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"2s": 2 * time.Second, "2000": 2 * time.Second, " 1.5 s ": 1500 * time.Millisecond, "1min": time.Minute, "2h": 2 * time.Hour,
		"1d": 24 * time.Hour, "5000us": 5 * time.Millisecond, "250ms": 250 * time.Millisecond,
		"": 0, "400us": 0, "0": 0, "-1": 0, "2 hours": 0, "2S": 0, "${timeout}": 0, "default": 0, "1e30s": 0, "NaN": 0,
	} {
		if got := timeout(value); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
}
