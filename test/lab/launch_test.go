package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAwait(t *testing.T) {
	never := func(context.Context) (bool, error) { return false, nil }
	err := await(t.Context(), 10*time.Millisecond, "snow", never)
	if err == nil || !strings.Contains(err.Error(), "wait for snow: not there after 10ms") {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := await(ended, time.Hour, "snow", never); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v, want %v", err, context.Canceled)
	}
	if err := await(t.Context(), time.Hour, "rain", func(context.Context) (bool, error) { return true, nil }); err != nil {
		t.Error(err)
	}
}

func TestLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.Repeat("old\n", 20)+"new\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(lastLines(path), "\n")
	if len(got) != 15 || got[14] != "new" {
		t.Errorf("got %q, want 15 lines that end with the newest", got)
	}
}
