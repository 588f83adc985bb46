package majors

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// patience bounds the download of one archive, of some 20 MB.
const patience = 5 * time.Minute

// Fetch brings the archive of a build into a cache, unless it is there. An archive
// that is not the one that was pinned is refused, and leaves nothing.
func Fetch(ctx context.Context, cache string, build Build) error {
	path := filepath.Join(cache, build.file())
	if err := verify(path, build); err == nil {
		return nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("fetch PostgreSQL %s: %w", build.Version, err)
	}
	partial, err := os.CreateTemp(cache, "partial-*")
	if err != nil {
		return fmt.Errorf("fetch PostgreSQL %s: %w", build.Version, err)
	}
	defer os.Remove(partial.Name())
	err = download(ctx, build.address(), partial)
	if closed := partial.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = verify(partial.Name(), build)
	}
	if err == nil {
		err = os.Rename(partial.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("fetch PostgreSQL %s: %w", build.Version, err)
	}
	return nil
}

func download(ctx context.Context, address string, to io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", address, response.Status)
	}
	_, err = io.Copy(to, response.Body)
	return err
}

func verify(path string, build Build) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != build.sum {
		return fmt.Errorf("verify %s: its SHA-512 is %s, expected %s", filepath.Base(path), got, build.sum)
	}
	return nil
}
