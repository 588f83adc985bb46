package programs

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/filelock"
)

// Build makes sure that every program of the sets is in the cache and returns
// the path of each by its name, and that of a set without programs by its
// folder's. What it does is told on out; a program that is there is not told.
// Two builds at once wait for each other.
func Build(ctx context.Context, out io.Writer, sets ...Set) (map[string]string, error) {
	cache, err := Cache()
	if err != nil {
		return nil, err
	}
	source, err := Source()
	if err != nil {
		return nil, err
	}
	release := func() {}
	defer func() { release() }()
	paths := map[string]string{}
	for _, set := range sets {
		key, err := set.key(source)
		if err != nil {
			return nil, err
		}
		folder := filepath.Join(cache, "programs", set.Folder+"-"+key)
		for _, program := range set.Programs {
			paths[program.Name] = filepath.Join(folder, program.Name)
		}
		if len(set.Programs) == 0 {
			paths[set.Folder] = folder
		}
		if exists(folder) {
			continue
		}
		release()
		release, err = filelock.Take(ctx, filepath.Join(cache, "build.lock"), waiting(out))
		if err != nil {
			return nil, err
		}
		if err := set.build(ctx, filepath.Join(source, set.Folder), folder, out); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// waiting tells that another process has to finish first.
func waiting(out io.Writer) func() {
	return func() { fmt.Fprintln(out, "waiting for another one that prepares programs") }
}

// exists reports whether there is something at a path.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// build makes the folder with the set's programs, unless it was made while
// this one waited for the lock.
func (s Set) build(ctx context.Context, module, final string, out io.Writer) error {
	if exists(final) {
		return nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("build %s: no `go` on PATH: install Go from https://go.dev/dl", s.Folder)
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return fmt.Errorf("build %s: %w", s.Folder, err)
	}
	// The lock is held, so anything half-built is a leftover.
	partial := final + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("build %s: %w", s.Folder, err)
	}
	if err := os.Mkdir(partial, 0o755); err != nil {
		return fmt.Errorf("build %s: %w", s.Folder, err)
	}
	if len(s.Programs) == 0 {
		fmt.Fprintf(out, "fetching the files of %s (once)\n", s.Folder)
	}
	for _, program := range s.Programs {
		if err := s.compile(ctx, program, module, partial, out); err != nil {
			return err
		}
	}
	// After the programs, whose build has brought most modules here.
	for _, files := range s.Files {
		if err := files.copy(ctx, module, partial); err != nil {
			return fmt.Errorf("build %s: %w", s.Folder, err)
		}
	}
	if err := os.Rename(partial, final); err != nil {
		return fmt.Errorf("build %s: %w", s.Folder, err)
	}
	return nil
}

// compile builds one program into a folder.
func (s Set) compile(ctx context.Context, program Program, module, folder string, out io.Writer) error {
	fmt.Fprintf(out, "building %s (%s, once)\n", program.Name, program.Takes)
	began := time.Now()
	if err := fetchModules(ctx, module, s.Tags, program.Package); err != nil {
		return fmt.Errorf("build %s: %w", program.Name, err)
	}
	// Whose checkout the modules lie in is nothing that these programs tell.
	args := []string{"build", "-trimpath", "-buildvcs=false"}
	if s.Tags != "" {
		args = append(args, "-tags", s.Tags)
	}
	args = append(args, "-ldflags", s.Flags, "-o", filepath.Join(folder, program.Name), program.Package)
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = module
	command.Env = environment()
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", program.Name, err, output)
	}
	fmt.Fprintf(out, "built %s in %s\n", program.Name, time.Since(began).Round(time.Second))
	return nil
}

// environment is that of Go's own commands: the flags and workspace of whoever
// builds must not change the result.
func environment() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
}
