package plugin

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteAtomicallyLeavesTheOldFileWhole(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "bluegreen.yaml")
	if err := writeAtomically(path, 0o644, whole([]byte("old"))); err != nil {
		t.Fatal(err)
	}
	// A folder in the way of the rename: the write fails at its last step.
	blockedPath := filepath.Join(directory, "folder")
	if err := os.MkdirAll(filepath.Join(blockedPath, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomically(blockedPath, 0o644, whole([]byte("new"))); err == nil {
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

// What a link leads to is not written over, and a device is not replaced.
func TestWriteAtomicallyFollowsNoLink(t *testing.T) {
	directory := t.TempDir()
	away, link := filepath.Join(t.TempDir(), "away"), filepath.Join(directory, "facts.json")
	if err := os.WriteFile(away, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(away, link); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomically(link, 0o600, whole([]byte("new"))); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{away: "old", link: "new"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
	null := filepath.Join(directory, "null")
	if err := os.Symlink(os.DevNull, null); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomically(null, 0o600, whole([]byte("new"))); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(null); err != nil || to != os.DevNull {
		t.Errorf("the link to a device is %q, %v", to, err)
	}
}
