package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// pinsFile is where the Action reads the pins, in the repository.
const pinsFile = "action/archives.json"

// pins are what the Action knows of a release.
type pins struct {
	// Version is the release's tag, "" where none was pinned yet.
	Version string `json:"version"`
	// Commit is what was built, Go the toolchain that built it.
	Commit string `json:"commit,omitempty"`
	Go     string `json:"go,omitempty"`
	// Image is the reference by digest of the image for Jobs.
	Image string `json:"image,omitempty"`
	// Archives are those of each target, such as linux_amd64.
	Archives map[string]archive `json:"archives"`
}

// archive pins an archive and the engine in it, by their SHA-256.
type archive struct {
	SHA256 string `json:"sha256"`
	Engine string `json:"engine"`
}

func readPins(path string) (pins, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return pins{}, fmt.Errorf("read pins: %w", err)
	}
	var found pins
	if err := json.Unmarshal(text, &found); err != nil {
		return pins{}, fmt.Errorf("read pins %s: %w", path, err)
	}
	return found, nil
}

func (p pins) write(path string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("write pins: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// compare refuses what is not byte for byte what was pinned.
func (p pins) compare(built pins) error {
	var problems []string
	differ := func(what, want, got string) {
		if want != got {
			problems = append(problems, fmt.Sprintf("%s: pinned %s, built %s", what, want, got))
		}
	}
	differ("the Go toolchain", p.Go, built.Go)
	differ("the image", p.Image, built.Image)
	targets := slices.Concat(slices.Collect(maps.Keys(p.Archives)), slices.Collect(maps.Keys(built.Archives)))
	slices.Sort(targets)
	for _, target := range slices.Compact(targets) {
		differ("archive "+target, p.Archives[target].SHA256, built.Archives[target].SHA256)
		differ("engine "+target, p.Archives[target].Engine, built.Archives[target].Engine)
	}
	if len(problems) > 0 {
		return fmt.Errorf("what was built is not what is pinned:\n  %s", strings.Join(problems, "\n  "))
	}
	return nil
}

// sumOf is the SHA-256 of what a reader has.
func sumOf(content io.Reader) (string, error) {
	digest := sha256.New()
	if _, err := io.Copy(digest, content); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

func sumOfFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return sumOf(file)
}
