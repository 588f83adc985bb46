package interpose

import (
	"net/http"
	"slices"
	"strings"
)

// Target is what a request is about, in the words of RBAC.
type Target struct {
	// Verb is get, list, watch, create, update, patch, delete or
	// deletecollection; for a path that names no resource, the method in
	// lower case.
	Verb string
	// Group is "" for the core group.
	Group, Version string
	// Resource is "" for a path that names none, such as /version.
	Resource, Subresource string
	// Namespace is "" for what has none, Name for a collection.
	Namespace, Name string
	// DryRun: the API server checks the write and persists nothing.
	DryRun bool
}

// Writes reports whether the request, when it succeeds, changes what the
// cluster holds. A question that is put as an object, such as a
// SelfSubjectAccessReview, and a connection into a pod do not.
func (t Target) Writes() bool {
	switch {
	case t.DryRun || t.Resource == "":
		return false
	case t.Group == "authorization.k8s.io" || t.Group == "authentication.k8s.io":
		return false
	case slices.Contains([]string{"proxy", "portforward", "exec", "attach", "token"}, t.Subresource):
		return false
	}
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, t.Verb)
}

// String names the target for people: patch services/svc-production.
func (t Target) String() string {
	parts := []string{t.Resource}
	for _, part := range []string{t.Name, t.Subresource} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return t.Verb + " " + strings.Join(parts, "/")
}

// targetOf reads a request as the API server does: /api/VERSION or
// /apis/GROUP/VERSION, then namespaces/NAMESPACE, then RESOURCE/NAME/SUBRESOURCE.
func targetOf(request *http.Request) Target {
	query := request.URL.Query()
	target := Target{Verb: strings.ToLower(request.Method), DryRun: query.Has("dryRun")}
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		target.Version, parts = parts[1], parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		target.Group, target.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return target
	}
	// The namespace itself is a resource too: namespaces/NAME.
	if parts[0] == "namespaces" && len(parts) > 2 {
		target.Namespace, parts = parts[1], parts[2:]
	}
	target.Resource = parts[0]
	if len(parts) > 1 {
		target.Name = parts[1]
	}
	if len(parts) > 2 {
		target.Subresource = parts[2]
	}
	watches := query.Get("watch") == "true" || query.Get("watch") == "1"
	target.Verb = verbOf(request.Method, target.Name != "", watches)
	return target
}

// verbOf is the verb of a method on one object or on a collection.
func verbOf(method string, named, watches bool) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		switch {
		case watches:
			return "watch"
		case named:
			return "get"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return strings.ToLower(method)
}
