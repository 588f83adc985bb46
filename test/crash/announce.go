package crash

import (
	"encoding/json"
	"mime"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
)

// announces reports whether an intent is about the write of an exchange. The
// object of an intent is kind/name; a recycle, a trial and a sweep, which are
// about pods of a workload, name the workload, and an apply how many objects the
// manifests hold.
func announces(intent journal.Entry, exchange *interpose.Exchange) bool {
	kind, name, _ := strings.Cut(intent.Object, "/")
	written := nameOf(exchange)
	switch intent.Action {
	case "apply":
		return exchange.Verb == "patch" && mediaType(exchange) == "application/apply-patch+yaml"
	case "recycle":
		return exchange.Verb == "create" && exchange.Resource == "pods" && exchange.Subresource == "eviction" && strings.HasPrefix(written, name+"-")
	case "trial", "sweep":
		its := exchange.Resource == "pods" && exchange.Subresource == "" && strings.HasPrefix(written, name+"-spare-")
		return its && (exchange.Verb == "create" && intent.Action == "trial" || exchange.Verb == "delete")
	}
	return exchange.Verb == "patch" && exchange.Subresource == "" && written == name && isPlural(exchange.Resource, kind)
}

// isPlural reports whether a resource is that of a kind in lower case. An object
// of which a Release says where its weights are is named by the resource itself.
func isPlural(resource, kind string) bool {
	return resource == kind || resource == kind+"s" || resource == kind+"es" || resource == strings.TrimSuffix(kind, "y")+"ies"
}

// mediaType is that of the request's body.
func mediaType(exchange *interpose.Exchange) string {
	media, _, err := mime.ParseMediaType(exchange.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// stops reports whether a write does nothing but ask for an emergency stop.
func stops(exchange *interpose.Exchange) bool {
	patch := struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec json.RawMessage `json:"spec"`
	}{}
	if mediaType(exchange) != "application/merge-patch+json" || json.Unmarshal(exchange.Body, &patch) != nil {
		return false
	}
	_, asked := patch.Metadata.Annotations[cluster.AnnotationStop]
	return asked && len(patch.Metadata.Annotations) == 1 && patch.Spec == nil
}

// whatIs names a write under the action that announced it. The random part of
// a pod's name is left out, so that the same write has the same name in every
// run.
func whatIs(action string, exchange *interpose.Exchange, workload string) string {
	name := nameOf(exchange)
	switch action {
	case "trial", "sweep":
		name = workload + "-spare-*"
	case "recycle":
		name = workload + "-*"
	}
	text := action + " " + exchange.Verb + " " + exchange.Resource + "/" + name
	if exchange.Subresource != "" {
		text += "/" + exchange.Subresource
	}
	return text
}
