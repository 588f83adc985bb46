package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/image"
)

// published is the repository that .github/workflows/release.yml pushes the image to.
const published = "ghcr.io/bluegreen-dev/kubectl-bluegreen"

// image makes the image for Jobs, for every architecture of Linux that is built,
// in the layout of OCI, and returns its reference by digest. The program in it
// is linked with the version alone, for it can't know the digest that it is part of.
// Where Linux is not built there is none.
func (s *source) image(ctx context.Context, wanted options) (string, error) {
	if wanted.Only != "" && !strings.HasPrefix(wanted.Only, "linux_") {
		return "", nil
	}
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range []string{"amd64", "arm64"} {
		if wanted.Only != "" && wanted.Only != "linux_"+architecture {
			continue
		}
		path := filepath.Join(s.Folder, "..", "image-"+architecture)
		if err := s.program(ctx, wanted.Version, architecture, path); err != nil {
			return "", err
		}
		program, err := image.Open(path, "linux/"+architecture)
		if err != nil {
			return "", err
		}
		built, err := image.Build(program)
		if err != nil {
			return "", err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: built, Descriptor: v1.Descriptor{Platform: &program.Platform}})
	}
	digest, err := index.Digest()
	if err != nil {
		return "", fmt.Errorf("make image: %w", err)
	}
	written, err := layout.Write(filepath.Join(wanted.Out, "image"), empty.Index)
	if err != nil {
		return "", fmt.Errorf("write image: %w", err)
	}
	if err := written.AppendIndex(index); err != nil {
		return "", fmt.Errorf("write image: %w", err)
	}
	return published + "@" + digest.String(), nil
}

// program builds the program of an image as .goreleaser.yaml has the others built.
func (s *source) program(ctx context.Context, version, architecture, path string) error {
	command := exec.CommandContext(ctx, "go", "build", "-p", "1", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -X main.version="+version, "-o", path, "./cmd/kubectl-bluegreen")
	command.Dir = s.Folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program of the image: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
