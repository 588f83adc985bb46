package programs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// copy puts the files into a folder. module is the folder of the set's go.mod.
// That there are none is an error, since another version may keep them
// elsewhere.
func (f Files) copy(ctx context.Context, module, folder string) error {
	source, err := f.source(ctx, module)
	if err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(source, f.Pattern))
	if err != nil {
		return fmt.Errorf("find %s of module %s: %w", f.Pattern, f.Module, err)
	}
	if len(found) == 0 {
		return fmt.Errorf("find %s of module %s: there are none in %s", f.Pattern, f.Module, source)
	}
	for _, file := range found {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("copy from module %s: %w", f.Module, err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), content, 0o644); err != nil {
			return fmt.Errorf("copy from module %s: %w", f.Module, err)
		}
	}
	return nil
}

// source is the folder where Go keeps the module's source. A module that no
// program is built from is fetched.
func (f Files) source(ctx context.Context, module string) (string, error) {
	source, err := f.goes(ctx, module, "list", "-m", "-f", "{{.Dir}}", f.Module)
	if err != nil || source != "" {
		return source, err
	}
	fetch := func() error {
		_, err := f.goes(ctx, module, "mod", "download", f.Module)
		return err
	}
	if err := persist(ctx, pauses(), fetch); err != nil {
		return "", err
	}
	return f.goes(ctx, module, "list", "-m", "-f", "{{.Dir}}", f.Module)
}

// goes runs a command of Go's about the module, and returns the line that it
// prints.
func (f Files) goes(ctx context.Context, module string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = module
	command.Env = environment()
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("find module %s: %w\n%s", f.Module, err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
