package lab

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// Skipper serves RouteGroups, and the Ingresses of the class skipper with the
// weights in their annotation, of every namespace. No lab has it that doesn't
// ask for it.
const Skipper Addon = "skipper"

// skipperVersion is the one in programs/skipper/go.mod.
const skipperVersion = "v0.21.0"

// skipper is what it is made of.
func skipper() parts {
	return parts{
		addon: Skipper,
		sets: []programs.Set{{
			Folder:   "skipper",
			Flags:    "-s -w -X main.version=" + skipperVersion,
			Programs: []programs.Program{{Name: "skipper", Package: "github.com/zalando/skipper/cmd/skipper", Takes: "about 2 minutes"}},
			Files:    []programs.Files{{Module: "github.com/zalando/skipper", Pattern: "dataclients/kubernetes/deploy/apply/routegroups_crd.yaml"}},
		}},
		images:      map[string]imageBuilder{"registry.opensource.zalan.do/teapot/skipper:" + skipperVersion: fromSource("skipper")},
		definitions: "skipper",
		manifests:   []string{manifests.Skipper},
	}
}
