package report

import (
	"io"
	"regexp"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// Format is one way to write a report.
type Format struct {
	// Name is what -o calls it.
	Name string
	// Write writes the whole of a report.
	Write func(out io.Writer, report *preflight.Report, tool Tool) error
}

// JUnit is the format of CI servers, in which WriteTests writes too.
const JUnit = "junit"

// Tool is the program that writes.
type Tool struct {
	// Version of the program, such as v1.2.3 or (devel).
	Version string
	// Checks are those that it knows.
	Checks []preflight.Check
}

// Formats are all of them. Adding one means adding one file and one line here.
func Formats() []Format {
	return []Format{
		{Name: JUnit, Write: writeJUnit},
		{Name: "markdown", Write: writeMarkdown},
		{Name: "sarif", Write: writeSARIF},
	}
}

// sentence is what a finding says, in one line.
func sentence(finding preflight.Finding) string {
	text := finding.Cause
	if finding.Subject != "" && !strings.HasPrefix(text, finding.Subject) {
		text = finding.Subject + ": " + text
	}
	if finding.Outcome == preflight.Unknown {
		text = "unknown: " + text
	}
	if note := finding.Note(); note != "" {
		text += " (" + note + ")"
	}
	return plain(text)
}

// address is the URL of a check's page: of a released version as it was then, and else
// as it is now. A build by hand has a version too, but no tag.
func address(docs, version string) string {
	if !strings.Contains(docs, "://") {
		tag := "main"
		if regexp.MustCompile(`^v\d+\.\d+\.\d+(-rc\.\d+)?$`).MatchString(version) {
			tag = version
		}
		return repository + "/blob/" + tag + "/" + docs
	}
	return strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "<", "%3C", ">", "%3E").Replace(docs)
}

// plain is a text on one line, without control characters.
func plain(text string) string {
	return strings.Map(func(letter rune) rune {
		switch {
		case letter == '\n' || letter == '\t' || letter == '\r':
			return ' '
		case letter < ' ' || letter >= 0x7f && letter < 0xa0:
			return -1
		}
		return letter
	}, strings.ToValidUTF8(text, "�"))
}
