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
