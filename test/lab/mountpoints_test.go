package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the machine had stays, what was made goes, and what somebody used
// meanwhile stays with what they put there.
func TestMountPointsThatWereMadeGo(t *testing.T) {
	folder := t.TempDir()
	had, made, used := filepath.Join(folder, "had"), filepath.Join(folder, "made"), filepath.Join(folder, "used")
	points := mountPoints{had, made, used}
	if err := os.Mkdir(had, 0o755); err != nil {
		t.Fatal(err)
	}
	// Each lab makes sure of them.
	for range 2 {
		if err := points.make(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{made, used}, points.made()); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	theirs := filepath.Join(used, "config.yaml")
	if err := os.WriteFile(theirs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := points.remove(); err != nil {
			t.Fatal(err)
		}
	}
	if left := points.made(); len(left) > 0 {
		t.Errorf("still said to be made: %v", left)
	}
	if _, err := os.Stat(made); !os.IsNotExist(err) {
		t.Errorf("what was made is still there: %v", err)
	}
	for _, path := range []string{had, theirs} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// A mount point that is lacking and can't be made stops a lab from coming up.
func TestMountPointsThatCantBeMade(t *testing.T) {
	if err := (mountPoints{filepath.Join(t.TempDir(), "no", "parent")}).make(); err == nil {
		t.Error("a folder without a parent was made")
	}
}
