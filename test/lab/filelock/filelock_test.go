package filelock

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

func TestTheSecondWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "lock")
	silent := func() { t.Error("waited for a lock that nobody had") }
	release, err := Take(t.Context(), path, silent)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	told := 0
	if _, err := Take(short, path, func() { told++ }); err == nil {
		t.Fatal("taken twice")
	}
	if told != 1 {
		t.Errorf("told %d times that it waits, want 1", told)
	}
	release()
	release, err = Take(t.Context(), path, silent)
	if err != nil {
		t.Fatalf("after the first let go: %v", err)
	}
	release()
}
