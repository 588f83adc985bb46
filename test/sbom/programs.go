package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

// programs are what the Go toolchain stamped on each program of an archive, by the
// program's name. It is an error that there is none.
func programs(archive string) (map[string]*debug.BuildInfo, error) {
	found := map[string]*debug.BuildInfo{}
	look := func(name string, content io.Reader) error {
		program, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		// What is no program, such as the licence, has no stamp.
		if info, err := buildinfo.Read(bytes.NewReader(program)); err == nil {
			found[strings.TrimSuffix(name, ".exe")] = info
		}
		return nil
	}
	walk := walkTar
	if strings.HasSuffix(archive, ".zip") {
		walk = walkZip
	}
	if err := walk(archive, look); err != nil {
		return nil, fmt.Errorf("read archive %s: %w", archive, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("read archive %s: it holds no Go program", archive)
	}
	return found, nil
}

func walkTar(path string, look func(string, io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for entries := tar.NewReader(unzipped); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := look(entry.Name, entries); err != nil {
			return err
		}
	}
}

func walkZip(path string, look func(string, io.Reader) error) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, entry := range archive.File {
		content, err := entry.Open()
		if err != nil {
			return err
		}
		err = look(entry.Name, content)
		content.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
