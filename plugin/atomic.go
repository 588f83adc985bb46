package plugin

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeAtomically writes a file that is either whole or as it was, by way of a temporary
// one beside it. A link in its place is replaced, not followed: in a checkout that is
// somebody else's it may lead anywhere. A device or a pipe, such as /dev/stdout, is
// written to.
func writeAtomically(path string, mode os.FileMode, write func(io.Writer) error) (err error) {
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() && !there.IsDir() {
		return writeThrough(path, write)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return &fs.PathError{Op: failed.Op, Path: path, Err: failed.Err} // by the name that is known
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	if err := errors.Join(write(temporary), temporary.Chmod(mode), temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// writeThrough writes to what is there already and can't be replaced.
func writeThrough(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// whole writes a text.
func whole(text []byte) func(io.Writer) error {
	return func(to io.Writer) error {
		_, err := to.Write(text)
		return err
	}
}
