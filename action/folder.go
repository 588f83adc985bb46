package action

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

// formatFiles are what the formats of a report are called in the folder.
func formatFiles() map[string]string {
	return map[string]string{"markdown": "report.md", "sarif": "report.sarif", "junit": "junit.xml"}
}

// makeFolder makes the folder for what the step leaves behind, one of its own for
// each step.
func makeFolder(temp, command string) (string, error) {
	if temp == "" {
		temp = os.TempDir()
	}
	folder, err := os.MkdirTemp(temp, "bluegreen-"+command+"-")
	if err != nil {
		return "", fmt.Errorf("make the folder of the report: %w", err)
	}
	return filepath.Abs(folder)
}

// leave writes what was found into the folder, without the secrets. What can't be
// written doesn't keep the rest from being.
func (s *step) leave(seen observed, summary string) error {
	if s.folder == "" {
		return nil
	}
	failures := []error{s.leaveText("summary.md", summary)}
	if seen.report != nil {
		failures = append(failures, s.leaveJSON("report.json", seen.report))
		for _, format := range report.Formats() {
			name, wanted := formatFiles()[format.Name]
			if !wanted {
				continue
			}
			var text bytes.Buffer
			failures = append(failures, format.Write(&text, seen.report, seen.tool), s.leaveText(name, text.String()))
		}
	}
	if seen.standing != nil {
		failures = append(failures, s.leaveJSON("status.json", seen.standing.Status))
	}
	return errors.Join(failures...)
}

func (s *step) leaveJSON(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return s.leaveText(name, string(text)+"\n")
}

func (s *step) leaveText(name, text string) error {
	return os.WriteFile(filepath.Join(s.folder, name), []byte(s.masks.hide(text)), 0o644)
}

// rest says where all of it is.
func (s *step) rest() string {
	if s.folder == "" {
		return "the log"
	}
	return "the folder that the output report names"
}
