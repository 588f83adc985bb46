package plugin

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// fileWithinCheckout refuses a document that lies outside of the Git work tree of
// this directory, or of the directory where that is in none, before it is opened:
// what it says of a mistake shows what it read. A pull request may come from anybody,
// and commit a link in its place. One that is missing is for who reads it to tell.
func (i *invocation) fileWithinCheckout() error {
	path := cmp.Or(i.file, defaultFile)
	if path == "-" {
		return nil
	}
	found, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	tree, err := release.Checkout(".")
	if err != nil {
		return err
	}
	if _, err := release.Inside(tree, path); err != nil {
		return err
	}
	if found != nil && !found.Mode().IsRegular() { // a pipe would be waited for
		return release.WithHint(fmt.Errorf("read %s: it is no regular file", path), "name the Release document itself, or give it on stdin: -f -")
	}
	return nil
}

// withinCheckout refuses manifests that lie outside of the Git work tree that the
// document lies in, or of its folder where that is in none: a pull request may come
// from anybody, and must not have other files read. One that is missing or can't be
// read is for the checks to tell.
func (d *document) withinCheckout() error {
	tree, err := release.Checkout(filepath.Dir(d.Loaded.Path))
	if err != nil {
		return err
	}
	var problems release.Problems
	for _, color := range d.Release.Spec.ColorNames() {
		for index, path := range d.Loaded.Manifests(color) {
			files, err := cluster.ManifestFiles(path)
			if err != nil {
				files = []string{path}
			}
			for _, file := range files {
				if _, err := release.Inside(tree, file); errors.Is(err, release.ErrOutside) {
					problems = append(problems, d.Loaded.Problem(fmt.Sprintf("spec.colors.%s.manifests[%d]", color, index), err.Error(), release.HintOf(err)))
				}
			}
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}
