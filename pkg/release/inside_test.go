package release

import (
	"errors"
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

func TestInside(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"tree/shop", "host/deep"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"tree/file", "tree/shop/file", "host/file", "host/deep/file"} {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"known-as": "tree/shop", "tree/shop/up": "..", "tree/shop/out": "../../host/deep", "tree/shop/secret": "../../host/file"} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, here := range []string{"tree/shop", "known-as"} { // the same directory
		t.Chdir(filepath.Join(root, here))
		for path, want := range map[string]bool{
			"file": true, "../file": true, "up/file": true, "secret": false, "out/file": false,
			"out/../file":                           false, // host/file for the system, though the words read otherwise
			filepath.Join(root, "known-as", "file"): true, filepath.Join(root, "host", "file"): false,
		} {
			_, err := Inside(filepath.Join(root, "tree"), path)
			if err != nil && !errors.Is(err, ErrOutside) || (err == nil) != want {
				t.Errorf("in %s, %s: inside %t, %v", here, path, want, err)
			}
		}
	}
}
