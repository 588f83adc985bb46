package action

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
)

// Name is that of the archive for a target, such as linux_amd64.
func Name(system, architecture string) string {
	ending := ".tar.gz"
	if system == "windows" {
		ending = ".zip"
	}
	return "kubectl-bluegreen_" + system + "_" + architecture + ending
}

// Pack packs files as the archives for a system are: a zip for Windows, else a
// gzipped tar.
func Pack(system string, files map[string]string) ([]byte, error) {
	var packed bytes.Buffer
	var err error
	if system == "windows" {
		err = zipped(&packed, files)
	} else {
		err = tarred(&packed, files)
	}
	return packed.Bytes(), err
}

// Sum is the SHA-256 by which what was packed is pinned.
func Sum(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// Pins are those of one archive for a target, and of the engine in it, as the Action
// has them of a release.
func Pins(version, target string, packed, engine []byte) ([]byte, error) {
	return json.Marshal(map[string]any{"version": version, "archives": map[string]any{
		target: map[string]string{"sha256": Sum(packed), "engine": Sum(engine)},
	}})
}

func tarred(packed io.Writer, files map[string]string) error {
	compressed, err := gzip.NewWriterLevel(packed, gzip.BestSpeed) // an engine is large
	if err != nil {
		return err
	}
	writer := tar.NewWriter(compressed)
	for name, content := range files {
		if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := io.WriteString(writer, content); err != nil {
			return err
		}
	}
	return errors.Join(writer.Close(), compressed.Close())
}

func zipped(packed io.Writer, files map[string]string) error {
	writer := zip.NewWriter(packed)
	for name, content := range files {
		file, err := writer.Create(name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(file, content); err != nil {
			return err
		}
	}
	return writer.Close()
}
