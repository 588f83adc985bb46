package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/filelock"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// mountPoints are folders of the machine over which every lab mounts folders of
// its own, for itself alone: programs insist on these paths. Where the machine
// has none, the first lab makes it and the last one removes it. Removing it any
// earlier would take the mount of the others away with it.
type mountPoints []string

// insisted are the paths that kubelet, containerd and its shims, and the
// library of the container network have built in, and the machine may lack.
func insisted() mountPoints {
	return mountPoints{"/var/lib/kubelet", "/var/lib/cni", "/run/containerd"}
}

// marker is a file in the folders that a lab made, to know them again by. The
// mount hides it from the lab's programs.
const marker = ".made-by-bluegreen-lab"

// make makes the folders that are not there.
func (m mountPoints) make() error {
	for _, folder := range m {
		err := os.Mkdir(folder, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("make mount point: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, marker), nil, 0o644); err != nil {
			return fmt.Errorf("make mount point: %w", err)
		}
	}
	return nil
}

// made are those of the folders that a lab made.
func (m mountPoints) made() []string {
	var made []string
	for _, folder := range m {
		if _, err := os.Stat(filepath.Join(folder, marker)); err == nil {
			made = append(made, folder)
		}
	}
	return made
}

// remove removes those. One that somebody else has put something in meanwhile
// is theirs from now on.
func (m mountPoints) remove() error {
	for _, folder := range m.made() {
		if err := os.Remove(filepath.Join(folder, marker)); err != nil {
			return fmt.Errorf("remove mount point: %w", err)
		}
		if err := os.Remove(folder); err != nil && !errors.Is(err, syscall.ENOTEMPTY) {
			return fmt.Errorf("remove mount point: %w", err)
		}
	}
	return nil
}

// withMountPoints does something with the machine's mount points while no other
// lab does.
func withMountPoints(ctx context.Context, do func(mountPoints) error) error {
	cache, err := programs.Cache()
	if err != nil {
		return err
	}
	// No lab can have this name.
	release, err := filelock.Take(ctx, filepath.Join(cache, "locks", "mount.points"), func() {})
	if err != nil {
		return err
	}
	defer release()
	return do(insisted())
}

// removeUnused removes the mount points once no lab has a folder any more: one
// that comes up has its folder before it needs them.
func removeUnused(ctx context.Context) error {
	return withMountPoints(ctx, func(points mountPoints) error {
		names, err := Names()
		if err != nil || len(names) > 0 {
			return err
		}
		return points.remove()
	})
}
