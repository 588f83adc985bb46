// Package compile builds the programs that tests and the demo put into
// containers: static ones, which need nothing of the image that they are in.
package compile

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Static builds the main package that target names in the folder of a module,
// and writes the program to binary. Variables are added to the environment,
// such as GOARCH=arm64 for another machine.
//
// No version is stamped: the source may be no checkout, or somebody else's
// checkout, which git does not read. The compiler's cache makes every build but
// the first one short.
func Static(ctx context.Context, folder, target, binary string, variables ...string) error {
	return program(ctx, folder, target, binary, nil, variables)
}

// Stripped is Static without symbols, as a program is released.
func Stripped(ctx context.Context, folder, target, binary string) error {
	return program(ctx, folder, target, binary, []string{"-ldflags", "-s -w"}, nil)
}

func program(ctx context.Context, folder, target, binary string, flags, variables []string) error {
	args := append([]string{"build", "-buildvcs=false"}, flags...)
	command := exec.CommandContext(ctx, "go", append(args, "-o", binary, target)...)
	command.Dir = folder
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), variables...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", target, err, output)
	}
	return nil
}
