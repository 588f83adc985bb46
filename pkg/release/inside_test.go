package release

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCheckout(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"tree/.git", "tree/team/shop", "alone/shop"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(root, "tree", "team"), filepath.Join(root, "alone", "link")); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{
		"tree": "tree", "tree/team/shop": "tree", "alone/shop": "alone/shop", "alone/link": "tree",
	} {
		got, err := Checkout(filepath.Join(root, folder))
		if err != nil || got != filepath.Join(root, want) {
			t.Errorf("%s: %s, %v; want %s", folder, got, err, want)
		}
	}
}
