package plugin

import (
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight/custom"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ownChecks are the checks that a Release declares.
type ownChecks struct {
	declared []release.DeclaredCheck
	compiled []preflight.Check
}

// checksOf compiles what a document, and the files that it names, declare.
func checksOf(loaded *release.Loaded) (*ownChecks, error) {
	declared, err := loaded.DeclaredChecks()
	if err != nil {
		return nil, err
	}
	compiled, err := custom.Compile(declared, loaded.Release)
	if err != nil {
		return nil, err
	}
	return &ownChecks{declared: declared, compiled: compiled}, nil
}

// all are those of the catalogue, and then these.
func (o *ownChecks) all() []preflight.Check {
	return slices.Concat(preflight.Catalogue(), o.compiled)
}

// checks are those that the document declares. Those of a file were compiled when
// it was read; those of a copy are now, and are refused where a file that it names
// is not at hand.
func (d *document) checks() (*ownChecks, error) {
	if d.own == nil {
		own, err := checksOf(d.Loaded)
		if err != nil {
			return nil, err
		}
		d.own = own
	}
	return d.own, nil
}
