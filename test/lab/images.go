package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// LoadImage makes an image known to the cluster's node under a reference.
// Pods that use it need imagePullPolicy IfNotPresent or Never.
func (l *Lab) LoadImage(ctx context.Context, reference string, built v1.Image) error {
	read, write := io.Pipe()
	go func() { _ = write.CloseWithError(image.Write(reference, built, write)) }()
	defer func() { _ = read.Close() }()
	return l.importImage(ctx, reference, read)
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

// LoadArchive loads an image archive as `docker save` writes it.
func (l *Lab) LoadArchive(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("load image archive: %w", err)
	}
	defer func() { _ = file.Close() }()
	return l.importImage(ctx, path, file)
}

// importImage hands an archive to containerd.
func (l *Lab) importImage(ctx context.Context, what string, archive io.Reader) error {
	command := exec.CommandContext(ctx, l.layout.file("bin", "ctr"),
		"--address", l.layout.file("containerd.sock"), "--namespace", "k8s.io", "images", "import", "-")
	command.Stdin = archive
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("load image %s: %w: %s", what, err, output)
	}
	return nil
}

// buildContainer compiles one of the lab's own programs that run in
// containers. The compiler's cache makes every build but the first one short.
func buildContainer(ctx context.Context, name, target string) (string, error) {
	source, err := programs.Source()
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", target, "./containers/"+name)
	command.Dir = filepath.Dir(source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, output)
	}
	return target, nil
}
