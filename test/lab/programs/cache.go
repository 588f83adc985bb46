package programs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// CacheVariable is the environment variable that names another cache folder.
const CacheVariable = "BLUEGREEN_LAB_CACHE"

// Cache is the folder that keeps what was built: $BLUEGREEN_LAB_CACHE, or
// kubectl-bluegreen/lab in the user's cache folder.
func Cache() (string, error) {
	if folder := os.Getenv(CacheVariable); folder != "" {
		return filepath.Abs(folder)
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache folder: %w (set %s)", err, CacheVariable)
	}
	return filepath.Join(folder, "kubectl-bluegreen", "lab"), nil
}

// Source is the folder of this package's source, where the modules are.
func Source() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "", fmt.Errorf("find the lab's source: built with -trimpath; build without it")
	}
	folder := filepath.Dir(file)
	if _, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("find the lab's source: %w", err)
	}
	return folder, nil
}

// key says what a build of the set in source results in: the same for the same
// module files, main files, flags and files that are taken from modules.
func (s Set) key(source string) (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%s\n%s\n%v\n", runtime.Version(), s.Tags, s.Flags, s.Programs)
	for _, files := range s.Files {
		fmt.Fprintln(hash, files.Module, files.Pattern)
	}
	files, err := filepath.Glob(filepath.Join(source, s.Folder, "*"))
	if err != nil {
		return "", fmt.Errorf("read module %s: %w", s.Folder, err)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("read module %s: no files in %s", s.Folder, source)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read module %s: %w", s.Folder, err)
		}
		fmt.Fprintf(hash, "%s %d\n", filepath.Base(file), len(content))
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}
