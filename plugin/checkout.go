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
	tree, _, err := i.checkoutOf(path)
	if err != nil || path == "-" {
		return tree, err
	}
	return tree, heldWithin(tree, path, "name the Release document itself, or give it on stdin: -f -")
}

// testWithinCheckout reads a test of checks by the ids of those that there are. It
// refuses one, or a snapshot that it names, that lies outside of its checkout, as
// fileWithinCheckout does a document: tests are run in pull requests.
func (i *invocation) testWithinCheckout(path string, ids []string) (*release.CheckTest, error) {
	tree, _, err := i.checkoutOf(path)
	if err != nil {
		return nil, err
	}
	if err := heldWithin(tree, path, "name the file of the test itself"); err != nil {
		return nil, err
	}
	test, err := release.LoadCheckTest(path, ids)
	if err != nil {
		return nil, err
	}
	for _, one := range test.Cases {
		if err := heldWithin(tree, one.Snapshot, "name a file of check --save"); err != nil {
			return nil, fmt.Errorf("case %s: %w", one.Name, err)
		}
	}
	return test, nil
}

// snapshotWithinCheckout refuses saved facts that are kept in a checkout and lead out of
// it: whose stage they are of is known only once they are read. Those kept elsewhere were
// named by whoever runs this, and may come through a pipe.
func (i *invocation) snapshotWithinCheckout(path string) error {
	tree, below, err := i.checkoutOf(path)
	if err != nil || !below {
		return err
	}
	return heldWithin(tree, path, "name a file of check --save")
}

// checkoutOf is the Git work tree that a file is kept in, or its folder where that is in
// none, by the words of its path: what a link makes of it is for its author to say. Above
// the workspace of the workflow, or this directory's own work tree, nobody looks for one.
// false is a file that is kept in none of both; it leads out of this directory's.
func (i *invocation) checkoutOf(path string) (string, bool, error) {
	here := "."
	if workspace := i.getenv("GITHUB_WORKSPACE"); workspace == "" {
		tree, err := release.Checkout(here)
		if err != nil {
			return "", false, err
		}
		here = tree
	} else if tree, below, err := release.CheckoutBelow(workspace, path); err == nil && below {
		return tree, true, nil
	}
	tree, below, err := release.CheckoutBelow(here, path)
	if err == nil && !below {
		tree = here
	}
	return tree, below, err
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
