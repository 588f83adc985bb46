package preflight

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// manifestsReadID is the check to which others leave what they can't judge.
const manifestsReadID = "BG-COL-19"

func manifestsRead() Check {
	return Check{
		ID: manifestsReadID, Title: "the manifests of each colour can be read", Area: AreaColors,
		Stages: []Stage{StagePR, StageDeploy}, Critical: true,
		Why: "What is applied, and what most other checks of a colour judge, stands in its manifests. A mistake in one is told here, once and at its line, and the checks that need it say that they are not judged. " +
			"Fields and their types are held against those of Kubernetes' own kinds, as far as this version knows them; custom resources are the server's to judge. " +
			"On a pull request a field that there is not fails; before a shift it warns, since there the server itself is asked (BG-COL-17).",
		Remedy:   "correct the manifest at the line that the finding names",
		Source:   "second runbook, Best Practices, Test Selector Patch Locally (validate syntax first)",
		Evaluate: evaluateManifestsRead,
	}
}

func evaluateManifestsRead(facts *Facts) []Finding {
	var findings []Finding
	told := map[cluster.ManifestError]bool{} // both colours may name one file
	for _, color := range facts.colors() {
		objects, declared := facts.Manifests[color.Name]
		if !declared {
			continue
		}
		found := mistakesIn(facts, color, told)
		if facts.Stage == StagePR && objects.Known {
			found = append(found, workloadsLeftOut(color, objects.Value)...)
		}
		subject := "manifests of " + color.Name
		switch {
		case len(found) > 0:
		case !objects.Known:
			found = objects.unknown(subject)
		case facts.ManifestMistakes == nil:
			finding := unknown(subject, notLookedAt)
			finding.Lesser = true // they could be read
			found = append(found, finding)
		default:
			found = append(found, pass(subject, "%d objects", len(objects.Value)))
		}
		findings = append(findings, found...)
	}
	if len(findings) == 0 {
		return []Finding{undeclared("manifests").fix("name them in spec.colors.<name>.manifests")}
	}
	return findings
}

// mistakesIn are findings about the mistakes in a colour's manifests that were not
// told before.
func mistakesIn(facts *Facts, color Color, told map[cluster.ManifestError]bool) []Finding {
	var findings []Finding
	for _, path := range slices.Sorted(maps.Keys(facts.ManifestMistakes[color.Name])) {
		for _, mistake := range facts.ManifestMistakes[color.Name][path] {
			if told[mistake] {
				continue
			}
			told[mistake] = true
			findings = append(findings, mistakeFound(facts.Stage, mistake).at("spec.colors.%s.manifests[%d]", color.Name, path))
		}
	}
	return findings
}

// mistakeFound is what one mistake comes to.
func mistakeFound(stage Stage, mistake cluster.ManifestError) Finding {
	subject, cause := "manifests "+mistake.File, mistake.Message
	if mistake.Line > 0 {
		subject, cause = "manifest "+mistake.File, fmt.Sprintf("line %d: %s", mistake.Line, mistake.Sentence())
	}
	if mistake.Object != "" {
		subject = fmt.Sprintf("%s of %s", mistake.Field, mistake.Object)
		cause = fmt.Sprintf("%s (%s:%d)", mistake.Message, mistake.File, mistake.Line)
	}
	found := fail
	if mistake.Unknown && stage != StagePR {
		found = warn
	}
	finding := found(subject, "%s", cause)
	if finding.Position, finding.Remedy = mistake.Position(), mistake.Remedy; mistake.Unknown {
		finding.Remedy += "; where it is new, and only a newer version than this one knows it, suppress this until then"
	}
	return finding
}

// workloadsLeftOut are the workloads that the Release declares of a colour and that
// its manifests don't hold: on a pull request there is nothing else to judge them by.
func workloadsLeftOut(color Color, objects []string) []Finding {
	var findings []Finding
	for _, ref := range color.Declared.Workloads {
		if !slices.Contains(objects, ref.String()) {
			findings = append(findings, fail(ref.String(), "the manifests of %s hold no such object", color.Name).fix(notInManifestsRemedy))
		}
	}
	return findings
}

// deferToManifests takes back what is not known for a mistake in manifests alone,
// where that is told and blocks: it is one cause, and has its own remedy.
func (r *Report) deferToManifests() {
	blocks := func(finding Finding) bool { return finding.ID == manifestsReadID && finding.Blocks }
	if !slices.ContainsFunc(r.Findings, blocks) {
		return
	}
	for index := range r.Findings {
		finding := &r.Findings[index]
		if finding.Outcome == Unknown && finding.InManifests && finding.ID != manifestsReadID && finding.Suppression == nil {
			finding.Outcome, finding.Blocks, finding.Remedy = Skip, false, ""
			finding.Cause = "not judged: its manifests can't be read, see " + manifestsReadID
		}
	}
}
