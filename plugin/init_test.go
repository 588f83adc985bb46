package plugin

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRefuseExisting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bluegreen.yaml")
	if err := refuseExisting(path, false); err != nil {
		t.Errorf("nothing is there, yet: %v", err)
	}
	if err := os.Symlink("elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if err := refuseExisting(path, false); err == nil {
		t.Error("a link that dangles is something, and would be written over")
	}
	if err := refuseExisting(path, true); err != nil {
		t.Errorf("--force: %v", err)
	}
}

func TestWriteAtomicallyLeavesTheOldFileWhole(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "bluegreen.yaml")
	if err := writeAtomically(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	// A folder in the way of the rename: the write fails at its last step.
	blockedPath := filepath.Join(directory, "folder")
	if err := os.MkdirAll(filepath.Join(blockedPath, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomically(blockedPath, []byte("new")); err == nil {
		t.Error("a folder was written over")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("read %q, %v", got, err)
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}
