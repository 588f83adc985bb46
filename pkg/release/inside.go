package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	home, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", folder, pathless(err))
	}
	if !below(home, real) {
		return "", WithHint(fmt.Errorf("%s %w %s", path, ErrOutside, folderName(folder)), "name the file itself, in that folder or below it")
	}
	return real, nil
}

// below reports whether a path is a folder, or in it; neither has links left.
func below(folder, path string) bool {
	home, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	relative, err := filepath.Rel(home, absolute)
	return err == nil && filepath.IsLocal(relative)
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
	home, err := filepath.Abs(folder)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", folder, err)
	}
	if home, err = filepath.EvalSymlinks(home); err != nil {
		return "", fmt.Errorf("find %s: %w", folder, pathless(err))
	}
	for tree := home; ; tree = filepath.Dir(tree) {
		if _, err := os.Lstat(filepath.Join(tree, ".git")); err == nil {
			return tree, nil
		}
		if tree == filepath.Dir(tree) {
			return home, nil
		}
	}
}
