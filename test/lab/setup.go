package lab

import (
	"context"
	"io"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// Setup makes sure that this machine has all that a lab with these addons needs,
// and the other Debian packages that are named, and returns where each program is.
// What takes long is told on out; a second call finds everything there.
func Setup(ctx context.Context, out io.Writer, addons []Addon, others ...string) (map[string]string, error) {
	return setup(ctx, out, addons, others...)
}

// setup makes sure of what a lab with these addons needs.
func setup(ctx context.Context, out io.Writer, addons []Addon, others ...string) (map[string]string, error) {
	if err := programs.Install(ctx, out, others...); err != nil {
		return nil, err
	}
	return programs.Build(ctx, out, sets(addons)...)
}
