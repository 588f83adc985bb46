package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func accessGranted() Check {
	return Check{
		ID: "BG-COL-07", Title: "every right that a shift and its rollback need is granted", Area: AreaColors,
		Stages: []Stage{StageDeploy, StageRollback}, Critical: true,
		Why:    "A right that is missing in the middle of a shift leaves it there. The API server is asked for each one beforehand; one that a shift can do without is a warning that says what is lost.",
		Remedy: "grant the verb on the resource that the finding names, in a Role of the release's namespace; kubectl bluegreen generate rbac writes that Role whole",
		Source: "first runbook, Deployment Context (full rollback capability within 2 minutes)",
		Evaluate: func(facts *Facts) []Finding {
			if !facts.Access.Known {
				return facts.Access.unknown("rights")
			}
			var findings []Finding
			for _, grant := range facts.Access.Value {
				if !grant.Allowed {
					findings = append(findings, denied(facts, grant))
				}
			}
			if len(findings) == 0 {
				return []Finding{pass("rights", "all %d are granted", len(facts.Access.Value)).with("rights", granted(facts.Access.Value))}
			}
			return findings
		},
	}
}

func denied(facts *Facts, access Grant) Finding {
	judge := fail
	if access.Without != "" || facts.Stage == StageRollback && access.Resource != "services" {
		// What a shift or a rollback can do without must not keep it from
		// going.
		judge = warn
	}
	resource := cluster.ResourceOf(access.ResourceAttributes)
	text := fmt.Sprintf("verb %s on resource %s is not granted", access.Verb, resource)
	if access.Without != "" {
		text += "; without it, " + access.Without
	}
	finding := judge(resource, "%s", text).
		fix("grant verb %s on resource %s in namespace %s", access.Verb, resource, access.Namespace)
	if access.Reason != "" {
		finding = finding.with("reason", access.Reason)
	}
	return finding
}

func granted(rights []Grant) string {
	var list []string
	for _, access := range rights {
		list = append(list, fmt.Sprintf("%s %s", access.Verb, cluster.ResourceOf(access.ResourceAttributes)))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
