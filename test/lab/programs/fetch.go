package programs

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// pauses are those before a fetch is tried again: a mirror that stumbles must
// not cost half an hour of builds.
func pauses() []time.Duration { return []time.Duration{5 * time.Second, 30 * time.Second} }

// fetchModules brings here every Go module that a package's build needs, so
// that what fails afterwards is the build.
func fetchModules(ctx context.Context, module, tags, pkg string) error {
	return persist(ctx, pauses(), func() error {
		command := exec.CommandContext(ctx, "go", "list", "-deps", "-tags", tags, pkg)
		command.Dir = module
		command.Env = environment()
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("fetch modules: %w\n%s", err, tail(string(output), 20))
		}
		return nil
	})
}

// persist tries again after each pause, and returns the last error.
func persist(ctx context.Context, pauses []time.Duration, try func() error) error {
	err := try()
	for _, pause := range pauses {
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		err = try()
	}
	return err
}
