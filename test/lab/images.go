package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// LoadImage makes an image known to the cluster's node under a reference.
// Pods that use it need imagePullPolicy IfNotPresent or Never.
func (l *Lab) LoadImage(ctx context.Context, reference string, built v1.Image) error {
	archive, write := io.Pipe()
	go func() { _ = write.CloseWithError(image.Write(reference, built, write)) }()
	defer func() { _ = archive.Close() }()
	command := exec.CommandContext(ctx, l.layout.file("bin", "ctr"),
		"--address", l.layout.file("containerd.sock"), "--namespace", "k8s.io", "images", "import", "-")
	command.Stdin = archive
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("load image %s: %w: %s", reference, err, output)
	}
	return nil
}

// LoadBinary makes an image of one static binary, at /NAME and run by
// default, and loads it.
func (l *Lab) LoadBinary(ctx context.Context, reference, binary string) error {
	built, err := image.Build(image.Binary(binary))
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	return l.LoadImage(ctx, reference, built)
}

// buildContainer compiles one of the lab's own programs that run in containers.
func buildContainer(ctx context.Context, name, target string) (string, error) {
	source, err := programs.Source()
	if err != nil {
		return "", err
	}
	return target, compile.Static(ctx, filepath.Dir(source), "./containers/"+name, target)
}

// imageBuilder says what an image holds. The layout is that of the lab it is
// for, whose folder "images" takes the files that it makes.
type imageBuilder func(context.Context, layout) (image.Contents, error)

// packaged is an image of a program that Debian packages, with the folders
// that it reads.
func packaged(source, target string, trees ...string) imageBuilder {
	return func(ctx context.Context, _ layout) (image.Contents, error) {
		contents, err := image.Debian(ctx, source, target)
		contents.Trees = trees
		return contents, err
	}
}

// compiled is an image with one of the lab's own programs in it.
func compiled(name string, contents func(context.Context, string) (image.Contents, error)) imageBuilder {
	return func(ctx context.Context, where layout) (image.Contents, error) {
		binary, err := buildContainer(ctx, name, where.file("images", name))
		if err != nil {
			return image.Contents{}, err
		}
		return contents(ctx, binary)
	}
}

// fromSource is an image of a program of the addon's sets.
func fromSource(name string) imageBuilder {
	return func(_ context.Context, where layout) (image.Contents, error) {
		return image.Binary(where.file("bin", name)), nil
	}
}

// loadBuilt builds an image and loads it.
func (l *Lab) loadBuilt(ctx context.Context, reference string, builder imageBuilder) error {
	if err := os.MkdirAll(l.layout.file("images"), 0o755); err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	contents, err := builder(ctx, l.layout)
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	built, err := image.Build(contents)
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	return l.LoadImage(ctx, reference, built)
}
