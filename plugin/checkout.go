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

// fileWithinCheckout refuses a document that lies outside of its checkout, before it
// is opened: what it says of a mistake shows what it read. A pull request may come from
// anybody, and commit a link in its place. One that is missing is for who reads it to
// tell. It returns the checkout.
func (i *invocation) fileWithinCheckout() (string, error) {
	path := cmp.Or(i.file, defaultFile)
	tree, err := i.checkoutOf(path)
	if err != nil || path == "-" {
		return tree, err
	}
	return tree, heldWithin(tree, path, "name the Release document itself, or give it on stdin: -f -")
}

// checkoutOf is the Git work tree that a file is kept in, or its folder where that is in
// none, by the words of its path: what a link makes of it is for its author to say. Above
// the workspace of the workflow, or this directory's own work tree, nobody looks for one.
func (i *invocation) checkoutOf(path string) (string, error) {
	here := "."
	if workspace := i.getenv("GITHUB_WORKSPACE"); workspace == "" {
		tree, err := release.Checkout(here)
		if err != nil {
			return "", err
		}
		here = tree
	} else if tree, found, err := release.CheckoutBelow(workspace, path); err == nil && found {
		return tree, nil
	}
	tree, found, err := release.CheckoutBelow(here, path)
	if err == nil && !found {
		tree = here // which a path elsewhere leads out of
	}
	return tree, err
}

// heldWithin refuses a file that lies outside of a folder, once links are followed, or
// that is no regular one: a pipe would be waited for. Nor may its own folder lie outside,
// for what it names is found from there. A missing one is let through.
func heldWithin(tree, path, hint string) error {
	found, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, each := range []string{path, filepath.Dir(path)} {
		if _, err := release.Inside(tree, each); err != nil {
			return err
		}
	}
	if found != nil && !found.Mode().IsRegular() {
		return release.WithHint(fmt.Errorf("read %s: it is no regular file", path), hint)
	}
	return nil
}

// withinCheckout refuses manifests that lie outside of the checkout of the document: a
// pull request may come from anybody, and must not have other files read. One that is
// missing or can't be read is for the checks to tell.
func (d *document) withinCheckout(tree string) error {
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
