package planted

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The ways in which most faults are planted.

// applied applies a manifest, in which NAMESPACE stands for the shop's, and
// deletes its objects again.
func applied(manifest string) Plant {
	return func(ctx context.Context, site *Site) (Undo, error) {
		file := filepath.Join(site.Folder, "planted.yaml")
		text := strings.ReplaceAll(manifest, "NAMESPACE", site.Namespace)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write manifest: %w", err)
		}
		undo := func(ctx context.Context) error { return site.Kubectl(ctx, "delete", "--ignore-not-found", "-f", file) }
		return undo, site.Kubectl(ctx, "apply", "-f", file)
	}
}

// patched patches an object, and patches it back.
func patched(object, there, back string) Plant {
	patch := func(ctx context.Context, site *Site, patch string) error {
		return site.Kubectl(ctx, "patch", object, "--type=merge", "-p", patch)
	}
	return func(ctx context.Context, site *Site) (Undo, error) {
		undo := func(ctx context.Context) error { return patch(ctx, site, back) }
		return undo, patch(ctx, site, there)
	}
}

// written changes green's manifests, and writes them as they were.
func written(slot shop.Slot) Plant {
	return func(_ context.Context, site *Site) (Undo, error) {
		undo := func(context.Context) error { return site.WriteSlot(shop.Green, shop.Slot{}) }
		return undo, site.WriteSlot(shop.Green, slot)
	}
}

// declared changes the Release, and puts it back as it was.
func declared(change func(*release.Release)) Plant {
	return func(_ context.Context, site *Site) (Undo, error) {
		return restored(filepath.Join(site.Folder, "bluegreen.yaml"), func() error { return site.ChangeRelease(change) })
	}
}

// restored changes a file, and puts its text back.
func restored(file string, change func() error) (Undo, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return func(context.Context) error { return os.WriteFile(file, text, 0o600) }, change()
}

// together plants several faults that make one.
func together(plants ...Plant) Plant {
	return func(ctx context.Context, site *Site) (Undo, error) {
		var undos []Undo
		undo := func(ctx context.Context) error {
			for at := len(undos) - 1; at >= 0; at-- {
				if err := undos[at](ctx); err != nil {
					return err
				}
			}
			return nil
		}
		for _, plant := range plants {
			one, err := plant(ctx, site)
			if one != nil {
				undos = append(undos, one)
			}
			if err != nil {
				return undo, err
			}
		}
		return undo, nil
	}
}
