package preflight

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Right is one right that a release needs of the API server.
type Right struct {
	authorizationv1.ResourceAttributes
	// For is what it is for, as an infinitive without its "to".
	For string
	// Without is what becomes of a release that lacks it; "" when it can't do
	// without.
	Without string
}

// Rights are what a release needs of the API server, for every command and
// for shifts to either colour. It is the whole list: BG-COL-07 asks for it,
// and the generated Role is made from it. Whatever asks the API server for
// something new adds a line here. Only what every user may is left out
// (discovery, and asking for one's own rights), and what judges the room on
// the nodes, which is NodeRights. An error means that manifests could not be
// read.
func Rights(in Inputs) ([]Right, error) {
	all := &rights{namespace: in.namespace()}
	routeRights(all, in.Release)
	podRights(all, in.Release)
	recordRights(all, in.Release.Metadata.Name)
	discoveryRights(all)
	capacityRights(all)
	layerRights(all, in)
	if err := monitoringRights(all, in.Release); err != nil {
		return nil, err
	}
	if err := lookRights(all, in.Release.Spec); err != nil {
		return nil, err
	}
	databaseRights(all, in.Release)
	for _, name := range in.Release.Spec.ColorNames() {
		if err := manifestRights(all, in, in.Manifests[name]); err != nil {
			return nil, err
		}
	}
	workloadRights(all, in)
	return all.list, nil
}

// NodeRights are what it takes to judge the room on the nodes (BG-COL-11).
// They reach beyond the release's namespace, so they are no part of Rights.
func NodeRights() []Right {
	all := &rights{}
	const purpose, without = "judge the room on the nodes", "BG-COL-11 can't tell"
	all.want(purpose, without, all.in("", "nodes", ""), "list")
	all.want(purpose, without, all.in("", "pods", ""), "list")
	return all.list
}

// rights are gathered without doubles.
type rights struct {
	namespace string
	list      []Right
}

// in is a resource of the release's namespace; its part, such as the logs of
// pods, stands behind a slash. A name of "" is any.
func (r *rights) in(group, resource, name string) authorizationv1.ResourceAttributes {
	resource, part, _ := strings.Cut(resource, "/")
	return authorizationv1.ResourceAttributes{Namespace: r.namespace, Group: group, Resource: resource, Subresource: part, Name: name}
}

// need adds rights that a release can't do without.
func (r *rights) need(purpose string, to authorizationv1.ResourceAttributes, verbs ...string) {
	r.want(purpose, "", to, verbs...)
}

// want adds rights, with what becomes of a release that lacks them. One that
// is there already stays as it is, but what is needed for anything is needed.
func (r *rights) want(purpose, without string, to authorizationv1.ResourceAttributes, verbs ...string) {
	for _, verb := range verbs {
		to.Verb = verb
		at := slices.IndexFunc(r.list, func(have Right) bool { return have.ResourceAttributes == to })
		switch {
		case at < 0:
			r.list = append(r.list, Right{ResourceAttributes: to, For: purpose, Without: without})
		case without == "" && r.list[at].Without != "":
			r.list[at].For, r.list[at].Without = purpose, ""
		}
	}
}

// routeRights are those to the Services and to the workloads behind them.
func routeRights(all *rights, rel *release.Release) {
	routes, _ := traffic.Describe(rel) // a release without a route needs no right to one
	for _, route := range routes {
		all.need("read the production route, move it and stop a run by it", all.in(route.Resource.Group, route.Resource.Resource, route.Name), "get", "patch")
		if route.Beside != "" {
			all.need("see that the rest of the requests is the other colour's", all.in(route.Resource.Group, route.Resource.Resource, route.Beside), "get")
		}
	}
	if len(subsetRoutes(rel)) > 0 {
		all.need("see which pods the subsets of the route select", all.in("networking.istio.io", "destinationrules", ""), "list")
	}
	if rel.Spec.Traffic.Workers == nil {
		all.need("prove where the production route leads", all.in("discovery.k8s.io", "endpointslices", ""), "list")
	}
	for _, name := range rel.Spec.ColorNames() {
		color := rel.Spec.Colors[name]
		for _, ref := range color.Workloads {
			all.need("read the workloads of the colours, stamp and scale them", all.in("apps", ref.Kind+"s", ref.Name), "get", "patch")
		}
		if color.Service != "" {
			all.need("check that each colour can be reached alone", all.in("", "services", color.Service), "get")
		}
	}
}

// podRights are those to look at pods, to talk to them and to end them.
func podRights(all *rights, rel *release.Release) {
	all.need("see which pods a colour has, and which are ready", all.in("", "pods", ""), "list")
	all.need("read start-up logs, and keep those of a bad side", all.in("", "pods/log", ""), "get")
	all.need("ask pods for their health and their metrics", all.in("", "pods/proxy", ""), "get")
	talkRights(all, rel.Spec)
	all.want("keep the events of a bad side", "a rollback keeps no events of the bad side", all.in("", "events", ""), "list")
	drain := rel.Spec.Traffic.Drain
	if drain == release.DrainNone || rel.Spec.Traffic.Workers != nil { // a spare pod would take jobs
		return
	}
	unproven := "graceful termination can't be tried on a spare pod, so open connections are waited for"
	if drain == release.DrainRecycle {
		unproven = ""
	}
	all.want("try on a spare pod whether pods end gracefully", unproven, all.in("", "pods", ""), "get", "create", "delete")
	if drain == release.DrainRecycle || drain == release.DrainAuto {
		all.need("restart pods of the old side that still get requests", all.in("", "pods/eviction", ""), "create")
	}
}

// talkRights are those to send pods what the release declares, by the API
// server's proxy or, where that can't carry it, by a port-forward.
func talkRights(all *rights, spec release.Spec) {
	const forward = "open connections to pods: for gRPC, PostgreSQL, a spare pod"
	silent := "what the API server's proxy can't carry does not reach the pods, and no spare pod is tried"
	for _, probe := range spec.Validation.HTTPProbes() {
		for _, source := range probe.HeadersFrom {
			if ref := source.SecretKeyRef; ref != nil {
				all.need("give the declared requests the headers that are secrets", all.in("", "secrets", ref.Name), "get")
			}
		}
		if hasAuthorization(probe) {
			silent = "" // the proxy takes the header for itself
			continue
		}
		all.need("send pods the declared requests", all.in("", "pods/proxy", ""), proxyVerb(probe.Method))
	}
	if slices.ContainsFunc(spec.Validation.Synthetic, func(probe release.Probe) bool { return probe.GRPC != nil }) {
		silent = "" // gRPC needs a connection of its own
	}
	if slices.ContainsFunc(spec.Databases, func(database release.Database) bool { return database.Observe.Via == release.ViaPortForward }) {
		silent = ""
	}
	all.want(forward, silent, all.in("", "pods/portforward", ""), "create")
	// A WebSocket begins with a GET, which is another verb to RBAC.
	all.want("open those connections by WebSocket", "they are opened by SPDY alone, which some proxies don't let pass", all.in("", "pods/portforward", ""), "get")
}

func hasAuthorization(probe release.HTTPProbe) bool {
	names := slices.AppendSeq(slices.Collect(maps.Keys(probe.Headers)), maps.Keys(probe.HeadersFrom))
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, "Authorization") })
}

// proxyVerb is the verb that the API server asks for when a request of a
// method goes through a proxy.
func proxyVerb(method string) string {
	switch strings.ToUpper(method) {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	}
	return "get"
}

// recordRights are those to the lease and the journal. The lease and the
// current record have one name; past runs have their ids in theirs, and the
// name of what is made is not known to RBAC at all.
func recordRights(all *rights, releaseName string) {
	name := journal.Name(releaseName)
	all.need("hold the release", all.in("coordination.k8s.io", "leases", name), "get", "update")
	all.need("hold the release for the first time", all.in("coordination.k8s.io", "leases", ""), "create")
	all.want("find a release by what its runs left, and the one that has an object in hand", "what runs without a document at hand must be given svc/NAME, and does not find the copy of the last run; and where an object carries the stamp of another release, nothing is shifted",
		all.in("coordination.k8s.io", "leases", ""), "list")
	all.need("write the record of a run", all.in("", "configmaps", name), "update")
	all.need("begin records, keep past ones and read them", all.in("", "configmaps", ""), "get", "list", "create")
	all.want("sign off what a person has seen", "nobody signs off a load, a drill or what clients cache with these rights",
		all.in("", "configmaps", signoff.Name(releaseName)), "update")
	all.want("delete old runs", "old runs are kept for ever", all.in("", "configmaps", ""), "delete")
}

// discoveryRights are those to find a release by its Service alone.
func discoveryRights(all *rights) {
	const purpose = "discover a release from its Service"
	const without = "init discovers nothing, nor does a command without a document or a record of one"
	all.want(purpose, without, all.in("", "services", ""), "list")
	all.want(purpose, without, all.in("apps", "deployments", ""), "list")
	all.want(purpose, without, all.in("apps", "statefulsets", ""), "list")
}

// capacityRights are those of checks that say for themselves, each with its
// own weight, when they could not look.
func capacityRights(all *rights) {
	all.want("know how many pods autoscalers may add", "BG-COL-08 and the connection budget can't count what an autoscaler may add",
		all.in("autoscaling", "horizontalpodautoscalers", ""), "list")
	all.want("judge the disruption budgets", "BG-COL-09 can't tell", all.in("policy", "poddisruptionbudgets", ""), "list")
	all.want("judge the room under the quotas", "BG-COL-10 can't tell", all.in("", "resourcequotas", ""), "list")
	all.want("see what pods get that state no requests or limits", "BG-COL-10 can't tell of a quota on CPU or memory whose containers state none", all.in("", "limitranges", ""), "list")
	all.want("look for Services that lead to a colour past the route", "BG-NET-07 can't tell, and a rollback can't see that the side which it ends has another route",
		all.in("", "services", ""), "list")
	all.want("hold the network policies of both colours against each other", "BG-NET-06 can't tell", all.in("networking.k8s.io", "networkpolicies", ""), "list")
}

// layerRights are those to see what ties clients before and behind the route. Which
// of the kinds there are only the cluster knows.
func layerRights(all *rights, in Inputs) {
	if in.Release.Spec.Traffic.Workers != nil {
		return
	}
	const purpose, without = "see what before and behind the route ties clients", "BG-NET-01 can't tell"
	all.want(purpose, without, all.in("networking.k8s.io", layerIngresses, ""), "list")
	for _, kind := range layerKinds() {
		if !slices.Contains(in.Live.Unserved, kind.resource) {
			verb := "list"
			if kind.resource == layerBackendConfigs { // which Services name
				verb = "get"
			}
			all.want(purpose, without+", where there are any", all.in(kind.group, kind.resource, ""), verb)
		}
	}
}

// monitoringRights are those to ask a Prometheus and an Alertmanager that are
// declared as Services, in whatever namespace they are.
func monitoringRights(all *rights, rel *release.Release) error {
	if prometheus := rel.Spec.Metrics.Prometheus; prometheus != nil {
		if err := all.toAsk("Prometheus", "", prometheus.Service); err != nil {
			return fmt.Errorf("read spec.metrics.prometheus: %w", err)
		}
	}
	if err := all.toAsk("Alertmanager", "", rel.Spec.Metrics.Alertmanager); err != nil {
		return fmt.Errorf("read spec.metrics.alertmanager: %w", err)
	}
	for _, database := range rel.Spec.Databases {
		without := ""
		if database.Observe.Via != release.ViaExporter {
			without = "database " + database.Name + " is not observed where it can't be reached otherwise"
		}
		if err := all.toAsk("the exporter of database "+database.Name, without, database.Observe.Exporter); err != nil {
			return fmt.Errorf("read exporter of database %s: %w", database.Name, err)
		}
	}
	return nil
}

// toAsk adds the right to ask a Service through the API server. What is not
// declared, and what is declared by its URL, takes no right.
func (r *rights) toAsk(who, without, service string) error {
	if service == "" || strings.Contains(service, "://") {
		return nil
	}
	address, err := release.ParseServiceAddress(service)
	if err != nil {
		return err
	}
	// The API server knows a proxied Service by its name and port.
	to := authorizationv1.ResourceAttributes{Namespace: address.Namespace, Resource: "services", Subresource: "proxy", Name: address.Service + ":" + address.Port}
	r.want("ask "+who, without, to, "get")
	return nil
}

// databaseRights are those to log in to the databases and to find the pods
// that lead to them. A Service that only a connection string names is not
// known here: spec.database[].observe.pod names it.
func databaseRights(all *rights, rel *release.Release) {
	if len(rel.Spec.Databases) > 0 {
		const purpose, without = "count what Jobs and CronJobs open beside the colours", "the connection budget leaves them out, and warns"
		all.want(purpose, without, all.in("batch", "jobs", ""), "list")
		all.want(purpose, without, all.in("batch", "cronjobs", ""), "list")
	}
	for _, database := range rel.Spec.Databases {
		poolerRights(all, database)
		observe := database.Observe
		if observe.Via == release.ViaExporter || observe.Via == release.ViaPrometheus {
			continue
		}
		if ref := observe.DSN.SecretKeyRef; ref != nil {
			all.need("read the connection string of database "+database.Name, all.in("", "secrets", ref.Name), "get")
		}
		without := ""
		if observe.Via != release.ViaPortForward {
			without = "database " + database.Name + " is not reached through a pod where its host can't be dialled"
		}
		if kind, name, _ := strings.Cut(observe.Pod, "/"); name != "" && (kind == "service" || kind == "svc") {
			all.want("find the pod that leads to database "+database.Name, without, all.in("", "services", name), "get")
		}
	}
}

// manifestRights are those to apply what manifests declare. An apply says the
// name even of what it creates.
func manifestRights(all *rights, in Inputs, files []string) error {
	if len(files) == 0 {
		return nil
	}
	objects, err := cluster.ReadManifests(files)
	if err != nil {
		return err
	}
	for _, object := range objects {
		resource, namespace := resourceFor(in, object)
		to := authorizationv1.ResourceAttributes{Namespace: namespace, Group: resource.Group, Resource: resource.Resource, Name: object.GetName()}
		all.need("apply the manifests of the colours", to, "get", "create", "patch")
	}
	return nil
}

// resourceFor is the resource of an object and the namespace that it goes to,
// "" for the whole cluster. A kind that no server was asked about, or that the
// server does not know, gets the plural that it would have: that it can't be
// applied is told elsewhere.
func resourceFor(in Inputs, object *unstructured.Unstructured) (schema.GroupResource, string) {
	kind := object.GroupVersionKind()
	if in.Client != nil && in.Client.Mapper != nil {
		if mapping, err := in.Client.Mapper.RESTMapping(kind.GroupKind(), kind.Version); err == nil {
			if mapping.Scope.Name() == meta.RESTScopeNameRoot {
				return mapping.Resource.GroupResource(), metav1.NamespaceAll
			}
			return mapping.Resource.GroupResource(), in.namespace()
		}
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	if clusterWide(kind.GroupKind()) {
		return plural.GroupResource(), metav1.NamespaceAll
	}
	return plural.GroupResource(), in.namespace()
}

// clusterWide reports whether a kind of Kubernetes' own has no namespace.
func clusterWide(kind schema.GroupKind) bool {
	switch kind.Group {
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "scheduling.k8s.io":
		return true
	case "storage.k8s.io":
		return kind.Kind != "CSIStorageCapacity"
	}
	return slices.Contains([]string{"Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "IngressClass"}, kind.Kind)
}
