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
		Why:    "A right that is missing in the middle of a shift leaves it there. The API server is asked for each one beforehand.",
		Remedy: "grant the verb on the resource that the finding names, in a Role of the release's namespace",
		Source: "first seed, Deployment Context (full rollback capability within 2 minutes)",
		Evaluate: func(facts *Facts) []Finding {
			if !facts.Access.Known {
				return facts.Access.unknown("rights")
			}
			var findings []Finding
			for _, access := range facts.Access.Value {
				if !access.Allowed {
					findings = append(findings, denied(facts, access))
				}
			}
			if len(findings) == 0 {
				return []Finding{pass("rights", "all %d are granted", len(facts.Access.Value)).with("rights", granted(facts.Access.Value))}
			}
			return findings
		},
	}
}

func denied(facts *Facts, access cluster.Access) Finding {
	judge := fail
	if facts.Stage == StageRollback && access.Resource != "services" {
		// What a rollback can do without must not keep it from going.
		judge = warn
	}
	finding := judge(resourceOf(access), "verb %s on resource %s is not granted", access.Verb, resourceOf(access)).
		fix("grant verb %s on resource %s in namespace %s", access.Verb, resourceOf(access), access.Namespace)
	if access.Reason != "" {
		finding = finding.with("reason", access.Reason)
	}
	return finding
}

// resourceOf writes resource.group/name, or resource/subresource.
func resourceOf(access cluster.Access) string {
	text := access.Resource
	if access.Subresource != "" {
		text += "/" + access.Subresource
	}
	if access.Group != "" {
		text += "." + access.Group
	}
	if access.Name != "" {
		text += "/" + access.Name
	}
	return text
}

func granted(rights []cluster.Access) string {
	var list []string
	for _, access := range rights {
		list = append(list, fmt.Sprintf("%s %s", access.Verb, resourceOf(access)))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
