package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// clientsImage is the image of the clients' command.
const clientsImage = "bluegreen.dev/clients:demo"

// discoveryImage is what the monitoring manifests call the program that finds
// pods for Prometheus.
const discoveryImage = "bluegreen.dev/discovery:lab"

// workshop compiles programs for a cluster's nodes.
type workshop struct {
	// source is the product's, folder where programs go.
	source, folder string
	// architecture is the nodes', as Go names it.
	architecture string
}

// images compiles and loads what the demo runs itself.
func (w workshop) images(ctx context.Context, loader shop.Images, deployed bool) error {
	tests := filepath.Join(w.source, "test")
	service, err := w.build(ctx, w.source, "./examples/recommendation")
	if err != nil {
		return err
	}
	for _, version := range shop.Versions() {
		if err := loader.LoadBinary(ctx, shop.Image(version), service); err != nil {
			return err
		}
	}
	own := map[string]string{clientsImage: "./clients/cmd/clients"}
	if !deployed {
		own[discoveryImage] = "./lab/containers/discovery"
	}
	for reference, target := range own {
		binary, err := w.build(ctx, tests, target)
		if err != nil {
			return err
		}
		if err := loader.LoadBinary(ctx, reference, binary); err != nil {
			return err
		}
	}
	return nil
}

// build compiles a program for the nodes and returns its path.
func (w workshop) build(ctx context.Context, module, target string) (string, error) {
	binary := filepath.Join(w.folder, filepath.Base(target))
	return binary, compile.Static(ctx, module, target, binary, "GOOS=linux", "GOARCH="+w.architecture)
}

// writeArchive writes an image of one static binary as an archive that `docker
// load` and its relatives read.
func writeArchive(reference, binary, architecture, path string) error {
	built, err := image.Build(image.Binary(binary))
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	config, err := built.ConfigFile()
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	config = config.DeepCopy()
	config.Architecture = architecture
	if built, err = mutate.ConfigFile(built, config); err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write image %s: %w", reference, err)
	}
	return errors.Join(image.Write(reference, built, file), file.Close())
}
