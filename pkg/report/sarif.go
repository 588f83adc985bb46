package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The version of SARIF, and its schema:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	// repository is where the pages of the checks are.
	repository = "https://github.com/bluegreen-dev/kubectl-bluegreen"
	// sourceRoot stands for the folder in which the program ran; code scanning
	// takes it for that of the repository.
	sourceRoot = "%SRCROOT%"
)

// The objects of SARIF, with the fields that are written here.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]any    `json:"properties,omitempty"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string             `json:"id"`
		ShortDescription     sarifText          `json:"shortDescription"`
		FullDescription      sarifText          `json:"fullDescription"`
		Help                 sarifText          `json:"help"`
		HelpURI              string             `json:"helpUri"`
		DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
		Properties           map[string]any     `json:"properties,omitempty"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		ExitCode            int                 `json:"exitCode"`
		EndTime             string              `json:"endTimeUtc"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		AssociatedRule sarifRuleReference `json:"associatedRule"`
		Level          string             `json:"level"`
		Message        sarifText          `json:"message"`
	}
	sarifRuleReference struct {
		ID    string `json:"id"`
		Index int    `json:"index"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations,omitempty"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
		// Suppressions is not nil, for of results without it nobody knows.
		Suppressions []sarifSuppression `json:"suppressions"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		PhysicalLocation *sarifPhysical `json:"physicalLocation,omitempty"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		// Region is nil for a file as a whole.
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// writeSARIF writes a result for what blocks, failed, warned or is not known. What
// passed is counted alone, for code scanning would take it for an alert; what
// was skipped is a notification.
func writeSARIF(out io.Writer, report *preflight.Report, tool Tool) error {
	rules, indexes := sarifRulesOf(tool, report.Stage)
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{Schema: sarifSchema, Version: sarifVersion, Runs: []sarifRun{{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "kubectl-bluegreen", Version: tool.Version, InformationURI: repository, Rules: rules,
		}},
		Invocations: []sarifInvocation{sarifInvocationOf(report, indexes)},
		ColumnKind:  "unicodeCodePoints",
		Results:     sarifResultsOf(report, indexes),
		Properties: map[string]any{
			"release": report.Name, "namespace": report.Namespace, "stage": report.Stage, "require": report.Require,
			"live": report.Live, "target": report.Target, "verdict": report.Verdict, "counts": report.Counts,
		},
	}}})
}

// sarifRulesOf are the checks of a stage, and where each stands among them.
func sarifRulesOf(tool Tool, stage preflight.Stage) ([]sarifRule, map[string]int) {
	rules, indexes := []sarifRule{}, map[string]int{}
	for _, check := range tool.Checks {
		if slices.Contains(check.Stages, stage) {
			indexes[check.ID] = len(rules)
			rules = append(rules, sarifRuleOf(check, tool.Version))
		}
	}
	return rules, indexes
}

// sarifInvocationOf is how the checks ended, with what was skipped and with the
// suppressions that are not in effect.
func sarifInvocationOf(report *preflight.Report, indexes map[string]int) sarifInvocation {
	invocation := sarifInvocation{ExecutionSuccessful: true, EndTime: report.Time.UTC().Format(time.RFC3339)}
	if report.Blocked() {
		invocation.ExitCode = 2
	}
	notify := func(id, level, text string) {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{
			AssociatedRule: sarifRuleReference{id, ruleIndex(indexes, id)}, Level: level, Message: sarifText{Text: text},
		})
	}
	for _, finding := range report.Findings {
		if sarifLevel(finding) == "none" && (finding.Outcome == preflight.Skip || finding.Told) {
			notify(finding.ID, "note", sentence(finding))
		}
	}
	for _, suppression := range report.Suppressions {
		if suppression.State != preflight.SuppressionInEffect {
			notify(suppression.ID, "warning", plain(suppression.String()))
		}
	}
	return invocation
}

// sarifResultsOf are the findings that are more than told.
func sarifResultsOf(report *preflight.Report, indexes map[string]int) []sarifResult {
	results := []sarifResult{}
	for _, finding := range report.Findings {
		if level := sarifLevel(finding); level != "none" {
			results = append(results, sarifResultOf(report, finding, ruleIndex(indexes, finding.ID), level))
		}
	}
	return results
}

// ruleIndex is where a rule stands in the list of all, -1 for none.
func ruleIndex(indexes map[string]int, id string) int {
	if index, known := indexes[id]; known {
		return index
	}
	return -1
}

func sarifRuleOf(check preflight.Check, version string) sarifRule {
	return sarifRule{
		ID:               check.ID,
		ShortDescription: sarifText{Text: check.Title},
		FullDescription:  sarifText{Text: check.Why},
		Help: sarifText{
			Text:     check.Remedy + "\n\n" + check.Weight() + ". From: " + check.Source,
			Markdown: check.Why + "\n\n**What to do:** " + MarkdownText(check.Remedy) + "\n\n" + MarkdownText(check.Weight()+". From: "+check.Source),
		},
		HelpURI:              address(preflight.DocsPath(check), version),
		DefaultConfiguration: sarifConfiguration{Level: "error"}, // a failure of any check blocks
		Properties:           map[string]any{"tags": []string{"kubernetes", check.Area}},
	}
}

// sarifLevel is the level of a finding: error where it blocks.
func sarifLevel(finding preflight.Finding) string {
	switch {
	case finding.Blocks:
		return "error"
	case finding.Suppressed(), finding.Acknowledged != "":
		return "warning"
	case finding.Outcome == preflight.Pass, finding.Outcome == preflight.Skip:
		return "none"
	default:
		return "warning"
	}
}

func sarifResultOf(report *preflight.Report, finding preflight.Finding, index int, level string) sarifResult {
	text := sentence(finding)
	if finding.Remedy != "" {
		text += ". To put it right: " + plain(finding.Remedy)
	}
	result := sarifResult{
		RuleID: finding.ID, RuleIndex: index, Level: level, Message: sarifText{Text: text},
		PartialFingerprints: map[string]string{"bluegreenSubject/v1": fingerprint(report, finding)},
		Suppressions:        []sarifSuppression{},
		Properties:          map[string]any{"outcome": finding.Outcome, "blocks": finding.Blocks},
	}
	if finding.Suppressed() {
		result.Suppressions = append(result.Suppressions, sarifSuppression{"external", "accepted", plain(finding.Note())})
	}
	if finding.Acknowledged != "" {
		result.Suppressions = append(result.Suppressions, sarifSuppression{"inSource", "accepted", plain(finding.Acknowledged)})
	}
	if len(finding.Evidence) > 0 {
		result.Properties["evidence"] = finding.Evidence
	}
	if location, found := sarifLocationOf(report, finding); found {
		result.Locations = []sarifLocation{location}
	}
	return result
}

// fingerprint is the same for what is found again after its cause or its place
// have changed.
func fingerprint(report *preflight.Report, finding preflight.Finding) string {
	text, _ := json.Marshal([]string{report.Namespace, report.Name, finding.ID, finding.Subject}) // texts alone
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// sarifLocationOf is where a finding is put right. One that is about the cluster
// alone is shown at the Release, as a whole: that is what it blocks.
func sarifLocationOf(report *preflight.Report, finding preflight.Finding) (location sarifLocation, found bool) {
	if finding.Subject != "" {
		location.LogicalLocations = []sarifLogical{{FullyQualifiedName: plain(finding.Subject), Kind: "resource"}}
	}
	switch position := finding.Position; {
	case position != nil:
		location.PhysicalLocation = &sarifPhysical{ArtifactLocation: sarifArtifactOf(position.File), Region: sarifRegionOf(*position)}
	case report.Document != "":
		location.PhysicalLocation = &sarifPhysical{ArtifactLocation: sarifArtifactOf(report.Document)}
	}
	return location, location.PhysicalLocation != nil || location.LogicalLocations != nil
}

func sarifRegionOf(position release.Position) *sarifRegion {
	return &sarifRegion{StartLine: position.Line, StartColumn: position.Column}
}

// sarifArtifactOf is a file by its URI.
func sarifArtifactOf(file string) sarifArtifact {
	path := filepath.ToSlash(filepath.Clean(file))
	if filepath.IsAbs(file) {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: path}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: path}).String(), URIBaseID: sourceRoot}
}
