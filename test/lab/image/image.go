// Package image assembles container images out of files of this machine: a
// static binary, or a program that Debian packages together with the shared
// libraries it needs. No container engine and no registry takes part.
//
// An image has one layer, not compressed, since it is read once and from the
// same disk.
package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Contents is what an image holds and how it runs.
type Contents struct {
	// Files maps an absolute path in the image to a file of this machine.
	// Symbolic links are followed.
	Files map[string]string
	// Text maps an absolute path in the image to a small file's text.
	Text map[string]string
	// Trees are folders of this machine, taken as a whole to the same path.
	Trees []string
	// Entrypoint is the program that always runs; Command are its arguments
	// unless a pod says others.
	Entrypoint, Command []string
	// Env are environment variables as KEY=value.
	Env []string
	// User is a numeric user id, empty for root.
	User string
	// StopSignal is what asks the program to end, empty for SIGTERM.
	StopSignal string
}

// Binary is an image of one static binary, at /NAME.
func Binary(binary string) Contents {
	target := "/" + filepath.Base(binary)
	return Contents{Files: map[string]string{target: binary}, Entrypoint: []string{target}}
}

// Static is Binary in the form that the other kinds of contents have.
func Static(_ context.Context, binary string) (Contents, error) { return Binary(binary), nil }

// Build assembles the image.
func Build(contents Contents) (v1.Image, error) {
	layer, err := contents.layer()
	if err != nil {
		return nil, err
	}
	built, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer, types.DockerUncompressedLayer))
	if err != nil {
		return nil, fmt.Errorf("append layer: %w", err)
	}
	config, err := built.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read image config: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = contents.Entrypoint
	config.Config.Cmd = contents.Command
	config.Config.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, contents.Env...)
	config.Config.User = contents.User
	config.Config.StopSignal = contents.StopSignal
	built, err = mutate.ConfigFile(built, config)
	if err != nil {
		return nil, fmt.Errorf("set image config: %w", err)
	}
	return built, nil
}

// Write writes the image as an archive that `docker load`, `kind load
// image-archive` and `ctr images import` read.
func Write(reference string, built v1.Image, out io.Writer) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	if err := tarball.Write(tag, built, out); err != nil {
		return fmt.Errorf("write image %s: %w", reference, err)
	}
	return nil
}

// layer is the archive of all files.
func (c Contents) layer() ([]byte, error) {
	var buffer bytes.Buffer
	archive := &archive{tar: tar.NewWriter(&buffer), folders: map[string]bool{}}
	err := archive.folder("/tmp", 0o1777)
	for _, tree := range c.Trees {
		err = errors.Join(err, archive.tree(tree))
	}
	for _, target := range sorted(c.Files) {
		err = errors.Join(err, archive.file(target, c.Files[target]))
	}
	for _, target := range sorted(c.Text) {
		err = errors.Join(err, archive.text(target, c.Text[target]))
	}
	if err := errors.Join(err, archive.tar.Close()); err != nil {
		return nil, fmt.Errorf("assemble layer: %w", err)
	}
	return buffer.Bytes(), nil
}

// sorted returns the keys in order, so that the same contents give the same
// image.
func sorted(files map[string]string) []string {
	keys := make([]string, 0, len(files))
	for key := range files {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// archive writes a layer; each folder once, before what it holds.
type archive struct {
	tar     *tar.Writer
	folders map[string]bool
}

// folder adds a folder and those it is in.
func (a *archive) folder(target string, mode int64) error {
	target = path.Clean(target)
	if target == "/" || a.folders[target] {
		return nil
	}
	if err := a.folder(path.Dir(target), 0o755); err != nil {
		return err
	}
	a.folders[target] = true
	return a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: target[1:] + "/", Mode: mode})
}

// file adds a file of this machine.
func (a *archive) file(target, source string) error {
	file, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return a.content(target, int64(info.Mode().Perm()), info.Size(), file)
}

// text adds a file with the given text.
func (a *archive) text(target, text string) error {
	return a.content(target, 0o644, int64(len(text)), strings.NewReader(text))
}

// content adds a file with what a reader gives.
func (a *archive) content(target string, mode, size int64, content io.Reader) error {
	if err := a.folder(path.Dir(target), 0o755); err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: path.Clean(target)[1:], Mode: mode, Size: size}
	if err := a.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(a.tar, content)
	return err
}

// tree adds a folder of this machine and all that is in it.
func (a *archive) tree(root string) error {
	return filepath.WalkDir(root, func(source string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return a.folder(source, 0o755)
		}
		info, err := os.Stat(source)
		// A link that leads nowhere, or to a folder, isn't needed to run.
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		return a.file(source, source)
	})
}
