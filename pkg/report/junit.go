package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// The elements of JUnit's XML, as far as the servers that read it agree on them:
// https://github.com/testmoapp/junitxml.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string `xml:"name,attr"`
		Timestamp string `xml:"timestamp,attr"`
		junitCounts
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a test case a finding. What blocks fails its case, or is an
// error in it where it is unknown; what is skipped, suppressed, or not known
// and does not block, skips it. So a server that goes by failures and errors says what the
// exit code says.
func writeJUnit(out io.Writer, report *preflight.Report, tool Tool) error {
	suite := junitSuite{
		Name:      fmt.Sprintf("kubectl bluegreen check %s/%s", report.Namespace, report.Name),
		Timestamp: report.Time.UTC().Format("2006-01-02T15:04:05"),
	}
	for _, property := range [][2]string{
		{"verdict", report.Verdict}, {"stage", string(report.Stage)}, {"require", report.Require},
		{"live", report.Live}, {"target", report.Target}, {"version", tool.Version},
	} {
		suite.Properties = append(suite.Properties, junitProperty{property[0], plain(property[1])})
	}
	for _, suppression := range report.Suppressions {
		suite.Properties = append(suite.Properties, junitProperty{"suppression", plain(suppression.String())})
	}
	for _, finding := range report.Findings {
		one := junitOf(finding)
		suite.count(one)
		suite.Cases = append(suite.Cases, one)
	}
	return writeSuite(out, suite)
}

// writeSuite writes the one suite of a document.
func writeSuite(out io.Writer, suite junitSuite) error {
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{junitCounts: suite.junitCounts, Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

// junitOf is the test case of a finding.
func junitOf(finding preflight.Finding) junitCase {
	one := junitCase{Class: "bluegreen." + finding.ID, Name: plain(finding.Title)}
	if finding.Subject != "" {
		one.Name += ": " + plain(finding.Subject)
	}
	if position := finding.Position; position != nil {
		one.File, one.Line = position.File, position.Line
	}
	message := &junitMessage{Message: sentence(finding), Type: string(finding.Outcome), Text: details(finding)}
	switch {
	case finding.Blocks && finding.Outcome == preflight.Unknown:
		one.Error = message
	case finding.Blocks:
		one.Failure = message
	case finding.Suppressed():
		one.Skipped = &junitMessage{Message: message.Message}
		one.Output = message.Text
	case finding.Outcome == preflight.Skip, finding.Outcome == preflight.Unknown:
		one.Skipped = &junitMessage{Message: message.Message}
		one.Output = message.Text
	default:
		one.Output = strings.TrimSpace(string(finding.Outcome) + ": " + message.Message + "\n" + message.Text)
	}
	return one
}

func (s *junitSuite) count(one junitCase) {
	s.Tests++
	switch {
	case one.Failure != nil:
		s.Failures++
	case one.Error != nil:
		s.Errors++
	case one.Skipped != nil:
		s.Skipped++
	}
}

// details are the evidence, the remedy and the page of a finding, a line each.
func details(finding preflight.Finding) string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(finding.Evidence)) {
		lines = append(lines, plain(key+": "+finding.Evidence[key]))
	}
	if finding.Remedy != "" {
		lines = append(lines, "remedy: "+plain(finding.Remedy))
	}
	if finding.Docs != "" && finding.Outcome != preflight.Pass {
		lines = append(lines, "see "+finding.Docs)
	}
	return strings.Join(lines, "\n")
}
