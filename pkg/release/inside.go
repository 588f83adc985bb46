package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrOutside is the cause of a path that leads out of a folder.
var ErrOutside = errors.New("leads out of")

// Inside follows the links of a path. It refuses one that is missing, or that
// leads out of a folder: who wrote a document must not have other files read.
func Inside(folder, path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", WithHint(fmt.Errorf("%s does not exist", path), "name a file or a directory, relative to the document")
	}
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, pathless(err))
	}
	within, err := below(folder, path)
	if err != nil {
		return "", err
	}
	if !within {
		return "", WithHint(fmt.Errorf("%s %w %s", path, ErrOutside, folderName(folder)), "name the file itself, in that folder or below it")
	}
	return real, nil
}

// below reports whether a path is a folder, or in it, once the links of both are
// followed.
func below(folder, path string) (bool, error) {
	home, err := realPath(folder)
	if err != nil {
		return false, err
	}
	real, err := realPath(path)
	if err != nil {
		return false, err
	}
	relative, err := filepath.Rel(home, real)
	return err == nil && filepath.IsLocal(relative), nil
}

// realPath is a path from the root, with the links followed before a ".." is, as the
// system does it. The current directory may be known by a link too.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, pathless(err))
	}
	if filepath.IsAbs(real) {
		return real, nil
	}
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	return filepath.Join(here, real), nil
}

// folderName is how a message calls a folder.
func folderName(folder string) string {
	if folder == "." {
		return "the folder of the document"
	}
	return folder
}

// Checkout is the Git work tree that a folder lies in, or the folder itself where
// it lies in none.
func Checkout(folder string) (string, error) {
	home, err := realPath(folder)
	if err != nil {
		return "", err
	}
	for tree := home; ; tree = filepath.Dir(tree) {
		if isWorkTree(tree) {
			return tree, nil
		}
		if tree == filepath.Dir(tree) {
			return home, nil
		}
	}
}

// CheckoutBelow is the innermost Git work tree on the way from a folder down to a
// path, or the folder of the path where none is on it. Whoever may commit to one may
// put a link there, which would lead on to another's: so the way ends at the first.
// false is a path that isn't below the folder.
func CheckoutBelow(folder, path string) (string, bool, error) {
	home, err := realPath(folder)
	if err != nil {
		return "", false, err
	}
	way, below, err := wayDown(folder, home, path)
	if err != nil || !below {
		return "", false, err
	}
	tree, found, at := home, isWorkTree(home), home
	for _, name := range way {
		at = filepath.Join(at, name)
		if !isFolder(at) {
			break
		}
		if isWorkTree(at) {
			tree, found = at, true
		} else if !found {
			tree = at
		}
	}
	return tree, true, nil
}

// wayDown are the names on the way from a folder, which is home once links are
// followed, down to the folder of a path, by the words of both. false is a path that
// isn't below it.
func wayDown(folder, home, path string) ([]string, bool, error) {
	from, err := filepath.Abs(folder)
	if err != nil {
		return nil, false, fmt.Errorf("find %s: %w", folder, err)
	}
	if !filepath.IsAbs(path) { // where this is may be known by a link too
		here, err := realPath(".")
		if err != nil {
			return nil, false, err
		}
		path = filepath.Join(here, path)
	}
	for _, from := range []string{home, from} {
		if way, err := filepath.Rel(from, filepath.Dir(path)); err == nil && filepath.IsLocal(way) {
			return strings.Split(way, string(filepath.Separator)), true, nil
		}
	}
	return nil, false, nil
}

// isFolder reports whether a path is a folder itself, and no link to one.
func isFolder(path string) bool {
	about, err := os.Lstat(path)
	return err == nil && about.IsDir()
}

// isWorkTree reports whether a folder is the root of a Git work tree.
func isWorkTree(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, ".git"))
	return err == nil
}
