package lab

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// Mesh is the control plane of Istio, without any proxy: the clients of a mesh
// are gRPC's own, which ask istiod at istiod.mesh:15010 where to go. No lab has
// it that doesn't ask for it, since its first build takes minutes.
const Mesh Addon = "mesh"

// istiodVersion is the one in programs/istiod/go.mod.
const istiodVersion = "v0.0.0-20260827124520-eed52ebb66ad"

// mesh is what it is made of.
func mesh() parts {
	return parts{
		addon: Mesh,
		sets: []programs.Set{{
			Folder:   "istiod",
			Flags:    "-s -w -X istio.io/istio/pkg/version.buildVersion=" + istiodVersion,
			Programs: []programs.Program{{Name: "istiod", Package: "istio.io/istio/pilot/cmd/pilot-discovery", Takes: "about 7 minutes"}},
			Files:    []programs.Files{{Module: "istio.io/istio", Pattern: "manifests/charts/base/files/crd-all.gen.yaml"}},
		}},
		images:      map[string]imageBuilder{"docker.io/istio/pilot:" + istiodVersion: fromSource("istiod")},
		definitions: "istiod",
		manifests:   []string{manifests.Mesh},
	}
}
