package shop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
)

// module is the product's module, in whose folder its source lies.
const module = "github.com/bluegreen-dev/kubectl-bluegreen"

// Place is a cluster that shops can be put on, and what they are made from.
type Place struct {
	// Kubeconfig is the path of the file, "" for the usual places.
	Kubeconfig string
	// Source is the folder of the product's source.
	Source string
	// Plugin is the program under test.
	Plugin string
	// Client reaches the cluster.
	Client *cluster.Client
}

// Images makes images known to a cluster's nodes. A lab does.
type Images interface {
	// LoadBinary makes an image of one static binary, run by default.
	LoadBinary(ctx context.Context, reference, binary string) error
}

// Versions are the versions of the service that a place has images of. All of
// them are the same program; its environment says which it is.
func Versions() []string { return []string{"v2.4.0", "v2.5.0", "v2.6.0"} }

// Image is the reference of a version's image.
func Image(version string) string { return "recommendation:" + version }

// Prepare builds the service and the program under test into folder, and
// loads the images. With plugin set, that program is taken instead of a
// built one.
func Prepare(ctx context.Context, kubeconfig, folder, plugin string, images Images) (*Place, error) {
	source, err := sourceFolder(ctx)
	if err != nil {
		return nil, err
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &kubeconfig
	client, err := cluster.Connect(flags)
	if err != nil {
		return nil, err
	}
	place := &Place{Kubeconfig: kubeconfig, Source: source, Plugin: plugin, Client: client}
	if place.Plugin == "" {
		place.Plugin = filepath.Join(folder, "kubectl-bluegreen")
		if err := compile.Static(ctx, source, "./cmd/kubectl-bluegreen", place.Plugin); err != nil {
			return nil, err
		}
	}
	service := filepath.Join(folder, "recommendation")
	if err := compile.Static(ctx, source, "./examples/recommendation", service); err != nil {
		return nil, err
	}
	for _, version := range Versions() {
		if err := images.LoadBinary(ctx, Image(version), service); err != nil {
			return nil, fmt.Errorf("load image %s: %w", Image(version), err)
		}
	}
	return place, nil
}

// OpenAlone prepares a place for one shop and opens that. All files are in a
// folder of its own, which goes when the shop is closed; Options.Folder is not
// looked at.
func OpenAlone(ctx context.Context, kubeconfig, plugin string, images Images, options Options) (*Shop, error) {
	folder, err := os.MkdirTemp("", "shop-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	options.Folder = folder
	opened, err := openIn(ctx, kubeconfig, plugin, images, options)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	opened.folderMade = true
	return opened, nil
}

// openIn prepares a place in the shop's folder.
func openIn(ctx context.Context, kubeconfig, plugin string, images Images, options Options) (*Shop, error) {
	place, err := Prepare(ctx, kubeconfig, options.Folder, plugin, images)
	if err != nil {
		return nil, err
	}
	return place.Open(ctx, options)
}

// sourceFolder asks the go command where the product's module is.
func sourceFolder(ctx context.Context) (string, error) {
	command := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("find the source of %s: %w: %s", module, err, complaint.String())
	}
	return strings.TrimSpace(string(output)), nil
}
