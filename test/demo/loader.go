package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// archiveLoader gives images to a cluster by its kind's own command.
type archiveLoader struct {
	cluster detected
	// folder is for the archives.
	folder string
}

// loadCommand is how a kind of cluster takes an image archive.
func loadCommand(cluster detected, archive string) []string {
	switch cluster.kind {
	case kindKind:
		return []string{"kind", "load", "image-archive", archive, "--name", cluster.name}
	case kindMinikube:
		return []string{"minikube", "image", "load", archive, "--profile", cluster.name}
	case kindK3d:
		return []string{"k3d", "image", "import", archive, "--cluster", cluster.name}
	case kindDockerDesktop:
		return []string{"docker", "--context", "desktop-linux", "load", "--input", archive}
	default:
		return nil
	}
}

// available says in one sentence which command is missing.
func (l *archiveLoader) available() error {
	command := loadCommand(l.cluster, "")
	if _, err := exec.LookPath(command[0]); err != nil {
		return fmt.Errorf("the cluster is %s, and its command %s is not on PATH", l.cluster.kind, command[0])
	}
	return nil
}

// LoadBinary makes an archive of an image with one static binary, and loads
// it.
func (l *archiveLoader) LoadBinary(ctx context.Context, reference, binary string) (err error) {
	archive := filepath.Join(l.folder, strings.NewReplacer("/", "_", ":", "_").Replace(reference)+".tar")
	if err := writeArchive(reference, binary, l.cluster.architecture, archive); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(archive)) }()
	words := loadCommand(l.cluster, archive)
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("load image %s with %s: %w\n%s", reference, words[0], err, output)
	}
	return nil
}
