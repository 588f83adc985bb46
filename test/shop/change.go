package shop

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ChangeRelease changes the bluegreen.yaml in the shop's folder, as a person
// with an editor does.
func (s *Shop) ChangeRelease(change func(*release.Release)) error {
	return ChangeRelease(filepath.Join(s.Folder, "bluegreen.yaml"), change)
}

// ChangeRelease changes the Release in a file.
func ChangeRelease(path string, change func(*release.Release)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("change Release: %w", err)
	}
	document := &release.Release{}
	if err := yaml.UnmarshalStrict(text, document); err != nil {
		return fmt.Errorf("change Release: %w", err)
	}
	change(document)
	if text, err = yaml.Marshal(document); err != nil {
		return fmt.Errorf("change Release: %w", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("change Release: %w", err)
	}
	return nil
}
