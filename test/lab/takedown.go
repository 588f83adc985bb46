package lab

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// takeDown ends every process of the lab and removes all that it had. Nothing
// in a lab is worth a graceful end, so nothing is asked. The mounts go with
// the last process of the mount namespace that they are in.
func (l *Lab) takeDown(ctx context.Context) error {
	if err := l.endProcesses(ctx); err != nil {
		return err
	}
	if err := l.layout.cgroup().Remove(ctx); err != nil {
		return err
	}
	if err := l.layout.namespace().Remove(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(l.layout.folder()); err != nil {
		return fmt.Errorf("remove lab %s: %w", l.Name(), err)
	}
	// The last lab takes what is common with it; others need it still.
	_ = os.Remove(root)
	return removeUnused(ctx)
}

// endProcesses kills until there is nothing left to kill: a program may have
// started another one meanwhile.
func (l *Lab) endProcesses(ctx context.Context) error {
	return await(ctx, 30*time.Second, "the lab's processes to end", func(ctx context.Context) (bool, error) {
		programs, err := l.layout.namespace().Processes()
		if err != nil {
			return false, err
		}
		alive := false
		for _, found := range slices.Concat(programs, l.layout.cgroup().Processes()) {
			if !found.Alive() {
				continue
			}
			alive = true
			if err := found.Kill(ctx); err != nil {
				return false, err
			}
		}
		return !alive, nil
	})
}
