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

// The checkout of a file is told by the words of its path: a link that lies in one leads
// to no other, and above the folder in which files are looked for there is none.
func TestCheckoutBelow(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"home/.git", "home/work/pr/.git", "home/work/pr/team/shop", "home/work/private/.git", "home/work/plain/shop"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"known-as": "home/work", "home/work/pr/private": "../private", "home/work/plain/private": "../private"} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	work := filepath.Join(root, "home", "work")
	for _, here := range []string{work, filepath.Join(root, "known-as")} { // the same folder
		t.Chdir(here)
		for path, want := range map[string]string{
			"bluegreen.yaml": ".", ".github/bluegreen.yaml": ".",
			"pr/bluegreen.yaml": "pr", "pr/team/shop/bluegreen.yaml": "pr", "pr/team/none/bluegreen.yaml": "pr", "private/bluegreen.yaml": "private",
			"pr/private/bluegreen.yaml": "pr", "plain/private/bluegreen.yaml": "plain", "plain/shop/bluegreen.yaml": "plain/shop",
			"pr/../private/bluegreen.yaml": "private", "../bluegreen.yaml": "", filepath.Join(here, "pr", "bluegreen.yaml"): "pr",
		} {
			got, below, err := CheckoutBelow(here, filepath.FromSlash(path))
			if want != "" {
				want = filepath.Join(work, filepath.FromSlash(want))
			}
			if err != nil || got != want || below != (want != "") {
				t.Errorf("in %s, %s: %s, %t, %v; want %s", here, path, got, below, err, want)
			}
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
