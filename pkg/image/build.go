package image

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	// Entrypoint is where the program lies in the image.
	Entrypoint = "/kubectl-bluegreen"
	// User is the user and the group that it runs as: neither is root, and
	// both are those that the distroless images call nonroot.
	User = 65532
)

// Build makes the image of a program.
func Build(program Program) (v1.Image, error) {
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return layerOf(program.Path) })
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", program.Path, err)
	}
	created := v1.Time{Time: created(program)}
	built, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: created, CreatedBy: "kubectl bluegreen image"},
	})
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", program.Path, err)
	}
	config, err := built.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", program.Path, err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = program.Platform.OS, program.Platform.Architecture, created
	config.Config = v1.Config{
		Entrypoint: []string{Entrypoint},
		User:       fmt.Sprintf("%d:%d", User, User),
		Labels:     labels(program),
	}
	if built, err = mutate.ConfigFile(built, config); err != nil {
		return nil, fmt.Errorf("make an image of %s: %w", program.Path, err)
	}
	return built, nil
}

// created is the time in the image: the commit's, which is the binary's own.
func created(program Program) time.Time {
	if program.Committed.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return program.Committed
}

// labels are the annotations that the OCI image specification predefines.
func labels(program Program) map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       "kubectl-bluegreen",
		"org.opencontainers.image.description": "Blue-green releases on Kubernetes: the program that runs as a Job",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      "https://" + module,
		"org.opencontainers.image.version":     program.Version,
		"org.opencontainers.image.created":     created(program).Format(time.RFC3339),
	}
	if program.Revision != "" {
		labels["org.opencontainers.image.revision"] = program.Revision
	}
	return labels
}

// layerOf is the archive of the one file. Nothing of the file but what is in
// it goes along: neither its name, nor its times, nor whose it is.
func layerOf(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	read, write := io.Pipe()
	go func() {
		defer file.Close()
		archive := tar.NewWriter(write)
		err := archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(Entrypoint, "/"), Mode: 0o555, Size: info.Size(),
			ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
		})
		if err == nil {
			_, err = io.Copy(archive, file)
		}
		if err == nil {
			err = archive.Close()
		}
		_ = write.CloseWithError(err)
	}()
	return read, nil
}
