package majors

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// native is the part of a package that is the server.
const native = "package/native/"

// Unpack unpacks the archive of a build, which must be in the cache, into a folder,
// and returns the folder of its programs. Whoever runs the server must be able to
// read it.
func Unpack(cache string, build Build, folder string) (programs string, err error) {
	path := filepath.Join(cache, build.file())
	if err := verify(path, build); err != nil {
		return "", fmt.Errorf("unpack PostgreSQL %s: %w", build.Version, err)
	}
	if err := unpack(path, folder); err != nil {
		return "", fmt.Errorf("unpack PostgreSQL %s: %w", build.Version, err)
	}
	if err := link(folder); err != nil {
		return "", fmt.Errorf("unpack PostgreSQL %s: %w", build.Version, err)
	}
	return filepath.Join(folder, "bin"), nil
}

func unpack(path, folder string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	archive := tar.NewReader(zipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, ours := strings.CutPrefix(header.Name, native)
		if !ours || header.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("the archive holds %q, which is outside of it", header.Name)
		}
		if err := write(filepath.Join(folder, name), archive); err != nil {
			return err
		}
	}
}

// write writes a file that everybody may read and run: programs and libraries are
// among them, and the archive doesn't say which.
func write(path string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}

// link makes the symbolic links, which a package can't hold and lists instead.
func link(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, "pg-symlinks.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read pg-symlinks.json: %w", err)
	}
	for _, one := range links {
		source, target := strings.TrimPrefix(one.Source, "native/"), strings.TrimPrefix(one.Target, "native/")
		if !filepath.IsLocal(source) || !filepath.IsLocal(target) {
			return fmt.Errorf("read pg-symlinks.json: %q is outside of the package", one.Target)
		}
		relative, err := filepath.Rel(filepath.Dir(target), source)
		if err == nil {
			err = os.Symlink(relative, filepath.Join(folder, target))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
