package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v3"
)

// artifact is an entry of the list of what GoReleaser made.
type artifact struct {
	Name string `json:"name"`
	Path string `json:"path"`
	Type string `json:"type"`
	OS   string `json:"goos"`
	Arch string `json:"goarch"`
}

// make builds everything, the image first: the programs know its digest.
func (s *source) make(ctx context.Context, wanted options) (pins, error) {
	fmt.Fprintf(wanted.Told, "building %s of %s; the first time this compiles for every system\n", wanted.Version, s.Commit)
	reference := wanted.Image
	if reference == "" {
		var err error
		if reference, err = s.image(ctx, wanted); err != nil {
			return pins{}, err
		}
	}
	if err := s.goreleaser(ctx, wanted, reference); err != nil {
		return pins{}, err
	}
	made := pins{Version: wanted.Version, Commit: s.Commit, Go: runtime.Version(), Image: reference, Archives: map[string]archive{}}
	if err := s.collect(wanted, &made); err != nil {
		return pins{}, err
	}
	return made, made.write(filepath.Join(wanted.Out, filepath.Base(pinsFile)))
}

// goreleaser runs GoReleaser by the configuration of the commit. There may be no tag
// yet, so it does not ask for one; it publishes nothing, and gets no token.
func (s *source) goreleaser(ctx context.Context, wanted options, image string) error {
	path, err := s.configuration(wanted.Only)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, wanted.GoReleaser, "release", "--config", path, "--skip=validate,publish,announce", "--parallelism=1", "--timeout=3h")
	command.Dir = s.Folder
	command.Env = append(os.Environ(), "GORELEASER_CURRENT_TAG="+wanted.Version, "IMAGE="+image, "GITHUB_TOKEN=", "GITLAB_TOKEN=", "GITEA_TOKEN=")
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("build archives: %w: %s", err, out)
	}
	return nil
}

// configuration is what GoReleaser is told, by the commit.
const configuration = ".goreleaser.yaml"

// configuration is the path of the configuration: the commit's own, or a copy beside
// the clone with one target left. A clone that is changed is stamped as such.
func (s *source) configuration(only string) (string, error) {
	if only == "" {
		return configuration, nil
	}
	system, architecture, found := strings.Cut(only, "_")
	if !found {
		return "", fmt.Errorf("read target %q: expected a system and an architecture, such as linux_amd64", only)
	}
	text, err := os.ReadFile(filepath.Join(s.Folder, configuration))
	if err != nil {
		return "", fmt.Errorf("read configuration: %w", err)
	}
	var whole map[string]any
	if err := yaml.Unmarshal(text, &whole); err != nil {
		return "", fmt.Errorf("read configuration: %w", err)
	}
	builds, _ := whole["builds"].([]any)
	for _, build := range builds {
		if build, ok := build.(map[string]any); ok {
			build["goos"], build["goarch"] = []string{system}, []string{architecture}
		}
	}
	if text, err = yaml.Marshal(whole); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	path := filepath.Join(s.Folder, "..", "goreleaser.yaml")
	return path, os.WriteFile(path, text, 0o600)
}

// collect copies what is published out of the clone, and pins the archives.
func (s *source) collect(wanted options, made *pins) error {
	text, err := os.ReadFile(filepath.Join(s.Folder, "dist", "artifacts.json"))
	if err != nil {
		return fmt.Errorf("read what was built: %w", err)
	}
	var artifacts []artifact
	if err := json.Unmarshal(text, &artifacts); err != nil {
		return fmt.Errorf("read what was built: %w", err)
	}
	for _, found := range artifacts {
		path := filepath.Join(s.Folder, found.Path)
		target := found.OS + "_" + found.Arch
		pin := made.Archives[target]
		switch {
		case found.Type == "Archive":
			if pin.SHA256, err = sumOfFile(path); err == nil {
				err = copyFile(path, filepath.Join(wanted.Out, found.Name))
			}
			made.Archives[target] = pin
		case found.Type == "Binary" && strings.HasPrefix(filepath.Base(found.Path), "bluegreen-action"):
			pin.Engine, err = sumOfFile(path)
			made.Archives[target] = pin
		case found.Type == "SBOM" || found.Type == "Checksum":
			err = copyFile(path, filepath.Join(wanted.Out, found.Name))
		}
		if err != nil {
			return fmt.Errorf("collect %s: %w", found.Name, err)
		}
	}
	return copyFile(filepath.Join(s.Folder, "dist", "CHANGELOG.md"), filepath.Join(wanted.Out, "CHANGELOG.md"))
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	copied, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(copied, source); err != nil {
		copied.Close()
		return err
	}
	return copied.Close()
}
