package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const tail = " 1 10 10 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1000 10 18446744073709551615"
	tests := map[string]struct {
		stat    string
		state   string
		started uint64
		fails   bool
	}{
		"plain":                    {stat: "7 (etcd) S" + tail, state: "S", started: 4242},
		"brackets inside the name": {stat: "7 (a) R (b) T" + tail, state: "T", started: 4242},
		"no name":                  {stat: "7 S" + tail, fails: true},
		"cut short":                {stat: "7 (etcd) S 1 2", fails: true},
		"no number":                {stat: "7 (etcd) S 1 10 10 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 soon 1", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			state, started, err := parseStat(test.stat)
			if (err != nil) != test.fails {
				t.Fatalf("parseStat: %v, want an error: %t", err, test.fails)
			}
			if state != test.state || started != test.started {
				t.Errorf("got %q %d, want %q %d", state, started, test.state, test.started)
			}
		})
	}
}

func TestStopEndsAProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tests := map[string]string{
		"that listens": "exec sleep 600",
		"that doesn't": "trap '' TERM; while :; do sleep 0.05; done",
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			record, err := Start(exec.Command("sh", "-c", script))
			if err != nil {
				t.Fatal(err)
			}
			if !record.Alive() {
				t.Fatal("not alive after it was started")
			}
			if err := record.Stop(ctx, 200*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if record.Alive() {
				t.Error("alive after it was stopped")
			}
			if err := record.Stop(ctx, time.Second); err != nil {
				t.Errorf("stop it once more: %v", err)
			}
		})
	}
}

func TestAStrangerWithTheSamePidIsLeftAlone(t *testing.T) {
	self, err := Find(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	stranger := Record{PID: self.PID, Started: self.Started - 1}
	if stranger.Alive() {
		t.Error("a recycled pid counts as alive")
	}
	if err := stranger.Signal(15); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal to a recycled pid: %v, want %v", err, os.ErrProcessDone)
	}
}
