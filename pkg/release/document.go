package release

import (
	"sort"
)

// The apiVersion and kind of a Release document, and of every object that
// the commands print with -o json or -o yaml.
const (
	APIVersion = "bluegreen.dev/v1alpha1"
	Kind       = "Release"
)

// Release is the document that says what a blue-green release is made of:
// two colours, the route between them, the databases they share, and the
// rules that a shift must satisfy. It is desired configuration only; which
// colour is live is always read from the route.
type Release struct {
	// APIVersion is bluegreen.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is Release.
	Kind string `json:"kind"`
	// Metadata names the release.
	Metadata Metadata `json:"metadata"`
	// Spec is what the release is made of.
	Spec Spec `json:"spec"`
}

// Metadata names the release and the namespace in which everything it
// mentions lives.
type Metadata struct {
	// Name is part of the names of the objects that a run keeps in the
	// cluster.
	Name string `json:"name"`
	// Namespace is the kubeconfig context's when it is left out.
	Namespace string `json:"namespace,omitempty"`
}

// Spec is the body of a Release.
type Spec struct {
	// Colors are the two slots by name. They are slots, not roles: the
	// live one is read from the route.
	Colors map[string]Color `json:"colors"`
	// Traffic is the production route and how to move it.
	Traffic Traffic `json:"traffic"`
	// Databases are the PostgreSQL databases that both colours share.
	Databases []Database `json:"database,omitempty"`
	// Validation is what the target must answer before any traffic.
	Validation Validation `json:"validation,omitempty"`
	// Metrics says where the signals of both colours are read.
	Metrics Metrics `json:"metrics,omitempty"`
	// Logs says where the logs of both colours are kept.
	Logs Logs `json:"logs,omitempty"`
	// Dashboard says where people watch both colours.
	Dashboard Dashboard `json:"dashboard,omitempty"`
	// Gates are the rules that advance a shift or roll it back.
	Gates Gates `json:"gates,omitempty"`
	// Checks are which findings of the checks may stand.
	Checks Checks `json:"checks,omitempty"`
	// Require is which checks block when what they need is not declared:
	// "starter" (the default) or "production".
	Require string `json:"require,omitempty" jsonschema:"enum=starter,enum=production"`
}

// ColorNames returns the names of the colours, sorted.
func (s Spec) ColorNames() []string {
	names := make([]string, 0, len(s.Colors))
	for name := range s.Colors {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Other returns the colour that is not name, or "" when there are not
// exactly two.
func (s Spec) Other(name string) string {
	names := s.ColorNames()
	if len(names) != 2 {
		return ""
	}
	if names[0] == name {
		return names[1]
	}
	return names[0]
}

// Color is one slot: its workloads, the labels that set its pods apart, and
// the Service that reaches it past the production route.
type Color struct {
	// Workloads are written kind/name, for instance deployment/shop-blue.
	Workloads []Workload `json:"workloads,omitempty"`
	// Selector holds the labels by which the production route tells this
	// colour from the other, for instance {version: blue}.
	Selector map[string]string `json:"selector,omitempty"`
	// Service reaches this colour alone, for instance svc-blue.
	Service string `json:"service,omitempty"`
	// Manifests are files or directories, relative to the document, that
	// a shift applies before it moves traffic to this colour.
	Manifests []string `json:"manifests,omitempty"`
}

// Traffic is the production route, the steps of a shift and its deadlines.
type Traffic struct {
	// Service is a production Service whose selector is switched.
	Service *ServiceRoute `json:"service,omitempty"`
	// HTTPRoute is an HTTPRoute of the Gateway API, whose rules share requests
	// between the colours' Services by weights.
	HTTPRoute *NamedRoute `json:"httpRoute,omitempty"`
	// GRPCRoute is a GRPCRoute of the Gateway API, with weights likewise.
	GRPCRoute *NamedRoute `json:"grpcRoute,omitempty"`
	// TCPRoute is a TCPRoute of the Gateway API, whose rules share connections.
	TCPRoute *VersionedRoute `json:"tcpRoute,omitempty"`
	// TLSRoute is a TLSRoute of the Gateway API, likewise.
	TLSRoute *VersionedRoute `json:"tlsRoute,omitempty"`
	// VirtualService is a VirtualService of Istio, with weights likewise.
	VirtualService *VirtualServiceRoute `json:"virtualService,omitempty"`
	// TraefikService is a TraefikService that shares by weights.
	TraefikService *NamedRoute `json:"traefikService,omitempty"`
	// IngressRoute is an IngressRoute of Traefik whose routes hold the colours'
	// Services with weights.
	IngressRoute *NamedRoute `json:"ingressRoute,omitempty"`
	// RouteGroup is a RouteGroup of Skipper.
	RouteGroup *NamedRoute `json:"routeGroup,omitempty"`
	// HTTPProxy is an HTTPProxy of Contour whose routes hold the colours'
	// Services with weights.
	HTTPProxy *NamedRoute `json:"httpProxy,omitempty"`
	// SkipperIngress is an Ingress that Skipper serves, with the annotation
	// zalando.org/backend-weights.
	SkipperIngress *NamedRoute `json:"skipperIngress,omitempty"`
	// ALBIngress is an Ingress of the AWS Load Balancer Controller, with weights
	// in the annotations of its actions.
	ALBIngress *NamedRoute `json:"albIngress,omitempty"`
	// NginxIngress is a canary of ingress-nginx, with the weight in annotations.
	NginxIngress *NginxIngressRoute `json:"nginxIngress,omitempty"`
	// Custom is any other object that holds weights.
	Custom *CustomRoute `json:"custom,omitempty"`
	// Workers take jobs from a queue and have no route: they are switched by
	// their replicas. Each colour is then one Deployment.
	Workers *WorkersRoute `json:"workers,omitempty"`
	// Also are further routes of the same release. They are moved after the one
	// above in the order of the list, and given back before it in the reverse.
	Also []AlsoRoute `json:"also,omitempty"`
	// Steps are the weights to go through and how long each is held; the first may
	// be a preview instead.
	Steps []Step `json:"steps,omitempty"`
	// Watch counts from cutover and includes the hold at 100.
	Watch Duration `json:"watch,omitempty"`
	// Drain is what to do about requests that stay on the old side after
	// cutover: auto, wait, recycle or none.
	Drain Drain `json:"drain,omitempty"`
	// Deadlines bound the phases; a hold and the watch have times of their
	// own.
	Deadlines Deadlines `json:"deadlines,omitempty"`
}

// AlsoRoute is one further production route, of one kind.
type AlsoRoute struct {
	// Service is a Service whose selector is switched.
	Service *ServiceRoute `json:"service,omitempty"`
	// HTTPRoute is an HTTPRoute of the Gateway API.
	HTTPRoute *NamedRoute `json:"httpRoute,omitempty"`
	// GRPCRoute is a GRPCRoute of the Gateway API.
	GRPCRoute *NamedRoute `json:"grpcRoute,omitempty"`
	// TCPRoute is a TCPRoute of the Gateway API.
	TCPRoute *VersionedRoute `json:"tcpRoute,omitempty"`
	// TLSRoute is a TLSRoute of the Gateway API.
	TLSRoute *VersionedRoute `json:"tlsRoute,omitempty"`
	// VirtualService is a VirtualService of Istio.
	VirtualService *VirtualServiceRoute `json:"virtualService,omitempty"`
	// TraefikService is a TraefikService that shares by weights.
	TraefikService *NamedRoute `json:"traefikService,omitempty"`
	// IngressRoute is an IngressRoute of Traefik.
	IngressRoute *NamedRoute `json:"ingressRoute,omitempty"`
	// RouteGroup is a RouteGroup of Skipper.
	RouteGroup *NamedRoute `json:"routeGroup,omitempty"`
	// HTTPProxy is an HTTPProxy of Contour.
	HTTPProxy *NamedRoute `json:"httpProxy,omitempty"`
	// SkipperIngress is an Ingress that Skipper serves.
	SkipperIngress *NamedRoute `json:"skipperIngress,omitempty"`
	// ALBIngress is an Ingress of the AWS Load Balancer Controller.
	ALBIngress *NamedRoute `json:"albIngress,omitempty"`
	// NginxIngress is a canary of ingress-nginx.
	NginxIngress *NginxIngressRoute `json:"nginxIngress,omitempty"`
	// Custom is any other object that holds weights.
	Custom *CustomRoute `json:"custom,omitempty"`
}

// ServiceRoute names a Service of the release's namespace.
type ServiceRoute struct {
	// Name of the Service whose selector is switched.
	Name string `json:"name"`
}

// NamedRoute names a route of the release's namespace that has weights.
type NamedRoute struct {
	// Name of the object.
	Name string `json:"name"`
}

// VersionedRoute names a route of the release's namespace whose kind one
// cluster serves in other versions than another.
type VersionedRoute struct {
	// Name of the object.
	Name string `json:"name"`
	// Version of its group that the cluster serves it in, such as v1; v1alpha2
	// where it is left out.
	Version string `json:"version,omitempty"`
}

// VirtualServiceRoute names a VirtualService of the release's namespace.
type VirtualServiceRoute struct {
	// Name of the object.
	Name string `json:"name"`
	// Subsets are the names of the colours' subsets in a DestinationRule, by
	// colour. Without them the colours are told apart by their Services.
	Subsets map[string]string `json:"subsets,omitempty"`
	// Host is the name of the Service whose subsets they are; required with them, for
	// other hosts may have subsets of the same names.
	Host string `json:"host,omitempty"`
}

// NginxIngressRoute names two Ingresses of the release's namespace, of the same
// hosts and paths, each of which leads to another colour's Service.
type NginxIngressRoute struct {
	// Name of the canary, whose weight is moved.
	Name string `json:"name"`
	// Main is the name of the Ingress that it is the canary of.
	Main string `json:"main"`
}

// CustomRoute is an object of any kind, and where in it the weights stand.
type CustomRoute struct {
	// APIVersion is the object's, such as example.com/v1.
	APIVersion string `json:"apiVersion"`
	// Resource is what the API server calls the kind, in lower case and the
	// plural: widgets.
	Resource string `json:"resource"`
	// Name of the object.
	Name string `json:"name"`
	// Weights are the places of each colour's weights, as JSON pointers
	// (RFC 6901). The first of one colour goes with the first of the other,
	// and so on.
	Weights map[string][]string `json:"weights"`
}

// WorkersRoute stands for the route of workers, which have none.
type WorkersRoute struct {
	// Order says which side moves first: newFirst, where the side that takes over
	// is ready before the other ends, so that there is always a worker; or
	// oldFirst, where the other is gone before a pod of it starts, so that two
	// versions never take at once.
	Order string `json:"order,omitempty" jsonschema:"enum=newFirst,enum=oldFirst"`
}

// Step is one weight of the target colour, in percent, or a preview of it before
// the first weight, and how long to hold it before the gate may advance.
type Step struct {
	// Weight is the share of traffic for the colour that it moves to, in
	// percent.
	Weight int `json:"weight,omitempty" jsonschema:"minimum=1,maximum=100,oneof_required=weight"`
	// Match is what a request must carry to reach the colour that traffic will
	// move to, while all others stay. Only the first step may have it, in place
	// of a weight.
	Match *Match `json:"match,omitempty" jsonschema:"oneof_required=match"`
	// Hold is how long the step lasts at least.
	Hold Duration `json:"hold,omitempty"`
	// Requests says of a step with match whether the gate wants as many requests
	// as its rules ask for: "optional" (the default), for nobody has to test, or
	// "required".
	Requests string `json:"requests,omitempty" jsonschema:"enum=optional,enum=required"`
}

// Match is what a request must carry, a header or a cookie.
type Match struct {
	// Header with exactly this value.
	Header *NamedValue `json:"header,omitempty" jsonschema:"oneof_required=header"`
	// Cookie with exactly this value.
	Cookie *NamedValue `json:"cookie,omitempty" jsonschema:"oneof_required=cookie"`
}

// NamedValue is a header or a cookie and its value.
type NamedValue struct {
	// Name of the header, in whatever case, or of the cookie.
	Name string `json:"name"`
	// Value as it must be.
	Value string `json:"value"`
}

// Drain is the way in which residual traffic leaves the old side.
type Drain string

// The drains. Auto recycles only where graceful termination was proven and
// waits otherwise.
const (
	DrainAuto    Drain = "auto"
	DrainWait    Drain = "wait"
	DrainRecycle Drain = "recycle"
	DrainNone    Drain = "none"
)

// Deadlines bound the phases of a run; a wait without a deadline does not
// exist. Each phase has the whole of its deadline to itself. The defaults are
// the figures of the two runbooks.
type Deadlines struct {
	// Rollout bounds applying the target's manifests, and then waiting for
	// its pods to be ready.
	Rollout Duration `json:"rollout,omitempty"`
	// Validation bounds each of the preflight, the start-up logs, the
	// health, the synthetic transactions, the baseline, and, after the
	// watch, the synthetic transactions again.
	Validation Duration `json:"validation,omitempty"`
	// Total is asked before every switch: later than this after its start a
	// run moves no more traffic to the target, and fails if it stands
	// between two weights. What serves everything by then is watched to the
	// end.
	Total Duration `json:"total,omitempty"`
	// Reroute bounds writing a switch, and then proving by the
	// EndpointSlices that the route holds the right pods; on the way back,
	// the proof.
	Reroute Duration `json:"reroute,omitempty"`
	// Recover bounds waiting, after a rollback, until every pod of the old
	// side is ready and healthy.
	Recover Duration `json:"recover,omitempty"`
	// Rollback bounds giving the route back, and, once that is proven,
	// keeping what the bad side leaves behind, and ending the bad side.
	// So traffic is back within rollback and reroute together, or the run
	// ends as unproven.
	Rollback Duration `json:"rollback,omitempty"`
	// Drain bounds waiting until the requests that remain on the side that
	// was left have ended, after a shift and after a rollback.
	Drain Duration `json:"drain,omitempty"`
}

// Database is one PostgreSQL database that the colours share.
type Database struct {
	// Name is how checks and rules call this database.
	Name string `json:"name"`
	// Observe says how the tool looks into it.
	Observe Observe `json:"observe,omitempty"`
	// Pool says where a pod's connection pool size is set.
	Pool Pool `json:"pool,omitempty"`
	// Pooler is the PgBouncer between the colours and the database: what it
	// may open counts against the database instead of the pods' pools.
	Pooler *Pooler `json:"pooler,omitempty"`
	// Budget is the share of each limit that may be used, 0.8 by default:
	// the 80 % of the first runbook.
	Budget float64 `json:"budget,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// Connections is how many both colours together may take of it at their
	// peak, with the jobs beside them, as agreed with whoever runs it. A pull
	// request is judged by it, which can't ask the database what it has left.
	Connections int `json:"connections,omitempty" jsonschema:"minimum=1,maximum=1000000"`
	// Migrations are the changes to its schema that this release brings.
	Migrations *Migrations `json:"migrations,omitempty"`
}

// Migrations are what a release changes in the schema of a database. They are
// judged, never applied.
type Migrations struct {
	// Paths are files or directories, relative to the document and beside or
	// below it. Files that are named are this release's; the others of a
	// directory tell what was there before. Of directories alone, each file is
	// judged by itself.
	Paths []string `json:"paths"`
	// After is the name of the last file that the live version knows: those
	// behind it, in the order of their tool, are this release's.
	After string `json:"after,omitempty"`
	// Dialect is the tool whose files they are; without it found out by them.
	Dialect string `json:"dialect,omitempty"`
	// PostgresVersion is the server's, such as "16" or "14.2"; without it what
	// goes wrong on any from 12 to 18 counts.
	PostgresVersion string `json:"postgresVersion,omitempty"`
	// Levels say what a rule's findings do: RULE=block, RULE=warn or RULE=off.
	Levels []string `json:"levels,omitempty"`
}

// Pooler is a PgBouncer: a workload of the cluster, a Pooler of CloudNativePG,
// or so many instances elsewhere.
type Pooler struct {
	// Workload runs PgBouncer: deployment/NAME or statefulset/NAME.
	Workload *Workload `json:"workload,omitempty"`
	// CloudNativePG is the name of a Pooler of CloudNativePG.
	CloudNativePG string `json:"cloudNativePG,omitempty"`
	// Instances is how many run where the cluster doesn't show it; they are
	// then known by the admin console alone.
	Instances int `json:"instances,omitempty" jsonschema:"minimum=1,maximum=1000"`
	// Namespace of the workload or the Pooler, by default the release's.
	Namespace string `json:"namespace,omitempty"`
	// Admin is the connection string of the admin console (database
	// pgbouncer), by a role of admin_users or stats_users. Each pod is asked,
	// at the port that it names.
	Admin SecretSource `json:"admin,omitempty"`
}

// Observe says how the tool looks into the database.
type Observe struct {
	// Via is auto, direct, portForward, exporter or prometheus.
	Via Via `json:"via,omitempty"`
	// DSN is the observer's own connection string, never written down
	// here but named by the Secret that holds it, or by an environment
	// variable of the process that runs the tool.
	DSN SecretSource `json:"dsn,omitempty"`
	// Pod is the pod selector or service/NAME, pod/NAME that portForward
	// goes through when the database's host can't be dialled from here.
	Pod string `json:"pod,omitempty"`
	// Exporter is NAMESPACE/SERVICE:PORT of a postgres_exporter.
	Exporter string `json:"exporter,omitempty"`
}

// Via is a path by which the database is observed.
type Via string

// The observe paths.
const (
	ViaAuto        Via = "auto"
	ViaDirect      Via = "direct"
	ViaPortForward Via = "portForward"
	ViaExporter    Via = "exporter"
	ViaPrometheus  Via = "prometheus"
)

// SecretSource names where a secret value is found; it never holds one.
type SecretSource struct {
	// SecretKeyRef is a key of a Secret in the release's namespace.
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`
	// Env is an environment variable of the process that runs the tool.
	Env string `json:"env,omitempty"`
}

// IsZero reports whether nothing is named.
func (s SecretSource) IsZero() bool { return s.SecretKeyRef == nil && s.Env == "" }

// SecretKeyReference is one key of one Secret in the release's namespace.
type SecretKeyReference struct {
	// Name of the Secret.
	Name string `json:"name"`
	// Key in the Secret.
	Key string `json:"key"`
}

// Pool says where a pod's connection pool size is set.
type Pool struct {
	// Env is the variable of the container that holds it.
	Env string `json:"env,omitempty"`
	// Size overrides discovery: connections per pod.
	Size int `json:"size,omitempty" jsonschema:"minimum=1,maximum=100000"`
}

// Validation is what the target must answer, past the router, before it is
// given traffic; and again, as the business check, at the end of the watch.
type Validation struct {
	// Health is asked of every pod of the target past the router, such as
	// GET /health (both runbooks); the pods' own readiness probe over HTTP
	// when it is left out.
	Health *HTTPProbe `json:"health,omitempty"`
	// Synthetic are transactions that the target must get right.
	Synthetic []Probe `json:"synthetic,omitempty"`
	// Logs makes a start-up log line that looks like a failure block.
	Logs *LogRule `json:"logs,omitempty"`
}

// HTTPProbes are all requests over HTTP: that for the health first, then the
// synthetic ones in their order.
func (v Validation) HTTPProbes() []HTTPProbe {
	var probes []HTTPProbe
	if v.Health != nil {
		probes = append(probes, *v.Health)
	}
	for _, probe := range v.Synthetic {
		if probe.HTTP != nil {
			probes = append(probes, *probe.HTTP)
		}
	}
	return probes
}

// Probe is one synthetic transaction, over HTTP or gRPC.
type Probe struct {
	// Name of the transaction, as reports call it.
	Name string `json:"name"`
	// HTTP is the request, unless it is grpc.
	HTTP *HTTPProbe `json:"http,omitempty"`
	// GRPC is the call, unless it is http.
	GRPC *GRPCProbe `json:"grpc,omitempty"`
}

// HTTPProbe is one request and what its answer must be.
type HTTPProbe struct {
	// Method is GET by default.
	Method string `json:"method,omitempty"`
	// Path of the request, with a query if need be.
	Path string `json:"path"`
	// Port of the pod; when it is left out, that of the pod's readiness
	// probe over HTTP, else the one named http or web, else the first that
	// it declares, else 80.
	Port int `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// Headers of the request; they are kept in the cluster, so no secrets.
	Headers map[string]string `json:"headers,omitempty"`
	// HeadersFrom are headers whose values are secrets, each named by the
	// Secret that holds it, or by an environment variable of the process
	// that runs the tool. A value is read for the request and kept nowhere.
	HeadersFrom map[string]SecretSource `json:"headersFrom,omitempty"`
	// Body of the request; it is kept in the cluster, so no secrets.
	Body string `json:"body,omitempty"`
	// Status is the expected code; 0 means any 2xx.
	Status int `json:"status,omitempty" jsonschema:"minimum=100,maximum=599"`
	// Contains is text that the answer's body must hold.
	Contains string `json:"contains,omitempty"`
	// Timeout of one request.
	Timeout Duration `json:"timeout,omitempty"`
}

// GRPCProbe calls grpc.health.v1.Health/Check for a service.
type GRPCProbe struct {
	// Service is the health service's name for what is asked about; the
	// whole server when it is left out.
	Service string `json:"service,omitempty"`
	// Port of the pod.
	Port int `json:"port" jsonschema:"minimum=1,maximum=65535"`
	// Timeout of one call.
	Timeout Duration `json:"timeout,omitempty"`
}

// LogRule says which start-up log lines of the target block.
type LogRule struct {
	// Forbid are regular expressions (RE2).
	Forbid []string `json:"forbid,omitempty"`
}

// Checks says how the checks are taken.
type Checks struct {
	// Suppress are checks whose findings don't block for a time.
	Suppress []Suppression `json:"suppress,omitempty"`
	// Custom are checks of your own, in CEL.
	Custom []CustomCheck `json:"custom,omitempty"`
	// Files hold further ones, each file a CheckSet; paths are relative to the
	// document, and * and ? stand for parts of names.
	Files []string `json:"files,omitempty"`
}

// CheckSet is a file of checks of your own beside the Release.
type CheckSet struct {
	// APIVersion is bluegreen.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is CheckSet.
	Kind string `json:"kind"`
	// Checks of your own, in CEL.
	Checks []CustomCheck `json:"checks"`
}

// CustomCheck is one check of your own.
type CustomCheck struct {
	// ID is in capitals, with a prefix of your own, such as SHOP-01.
	ID string `json:"id" jsonschema:"pattern=^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$"`
	// Title says in a few words what holds when the check passes.
	Title string `json:"title"`
	// Severity says what a false expression does: it warns (warn), or blocks
	// (block, the default); critical blocks too where the expression can't be
	// evaluated.
	Severity string `json:"severity,omitempty" jsonschema:"enum=warn,enum=block,enum=critical"`
	// Stages are when it runs: pr, deploy (the default), rollback.
	Stages []string `json:"stages,omitempty" jsonschema:"enum=pr,enum=deploy,enum=rollback"`
	// Expression in CEL is true when all is well.
	Expression string `json:"expression"`
	// Message says what is wrong when it is false.
	Message string `json:"message,omitempty"`
	// MessageExpression in CEL makes that message out of what was seen.
	MessageExpression string `json:"messageExpression,omitempty"`
	// Why the check exists.
	Why string `json:"why,omitempty"`
	// Remedy is what to do about it.
	Remedy string `json:"remedy,omitempty"`
	// Docs is the URL of a page about it.
	Docs string `json:"docs,omitempty"`
}

// Suppression lets the findings of one check stand until a day. They are in
// every report, with the reason and the day.
type Suppression struct {
	// ID of the check, such as BG-COL-09.
	ID string `json:"id"`
	// Reason is why they may stand, for whoever reads the report.
	Reason string `json:"reason"`
	// Until is the last day, in UTC; after it they block again.
	Until Date `json:"until"`
}

// Metrics says where signals come from.
type Metrics struct {
	// Prometheus is a server that has the series of both colours.
	Prometheus *Prometheus `json:"prometheus,omitempty"`
	// Provider is the dialect of the metric names: http or otel.
	Provider string `json:"provider,omitempty" jsonschema:"enum=http,enum=otel"`
	// VersionLabel is the label of the pods, and of the series, that
	// tells the colours apart.
	VersionLabel string `json:"versionLabel,omitempty"`
	// Path and Port are where the pods serve /metrics when their
	// annotations do not say.
	Path string `json:"path,omitempty"`
	// Port goes with path.
	Port int `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// Alertmanager is NAMESPACE/SERVICE:PORT or a URL.
	Alertmanager string `json:"alertmanager,omitempty"`
}

// Prometheus is a server by URL, or NAMESPACE/SERVICE:PORT reached through
// the API server. Exactly one is set.
type Prometheus struct {
	// URL of the server, dialled from where the tool runs.
	URL string `json:"url,omitempty"`
	// Service is NAMESPACE/SERVICE:PORT, reached through the API server.
	Service string `json:"service,omitempty"`
}

// Logs says where the logs of both colours are kept.
type Logs struct {
	// Loki is a store that gets what the pods of both colours log.
	Loki *Loki `json:"loki,omitempty"`
}

// Loki is a store of logs by URL, or NAMESPACE/SERVICE:PORT reached through
// the API server. Exactly one is set.
type Loki struct {
	// URL of the store, dialled from where the tool runs.
	URL string `json:"url,omitempty"`
	// Service is NAMESPACE/SERVICE:PORT, reached through the API server.
	Service string `json:"service,omitempty"`
	// Selector holds labels that every stream of the release has, as Loki
	// spells them; namespace with that of the release when it is left out.
	Selector map[string]string `json:"selector,omitempty"`
	// VersionLabel is the label of the streams that tells the colours apart,
	// and of the pods unless theirs is the one of spec.metrics; that one when
	// it is left out.
	VersionLabel string `json:"versionLabel,omitempty"`
	// Tenant is the organisation that a store with several wants to be told.
	Tenant string `json:"tenant,omitempty"`
}

// Dashboard says where people watch both colours.
type Dashboard struct {
	// Grafana is a server that has a dashboard of both colours.
	Grafana *Grafana `json:"grafana,omitempty"`
}

// Grafana is a server by URL, or NAMESPACE/SERVICE:PORT reached through the
// API server. Exactly one is set.
type Grafana struct {
	// URL of the server, dialled from where the tool runs.
	URL string `json:"url,omitempty"`
	// Service is NAMESPACE/SERVICE:PORT, reached through the API server, or by
	// a port-forward where there is a token.
	Service string `json:"service,omitempty"`
	// UID of the dashboard, as it stands in its address; one whose title has
	// the name of the release in it is looked for when it is left out.
	UID string `json:"uid,omitempty"`
	// Token of a service account that may view it; without one, anybody may.
	Token SecretSource `json:"token,omitempty"`
}

// Gates choose a profile of rules and override its numbers.
type Gates struct {
	// Profile is weighted (the first runbook) or atomic (the second).
	Profile string `json:"profile,omitempty" jsonschema:"enum=weighted,enum=atomic"`
	// Interval is the time between two readings of every signal.
	Interval Duration `json:"interval,omitempty"`
	// Rules override a rule of the profile by its id.
	Rules []RuleOverride `json:"rules,omitempty"`
	// Relative is what the comparison of the target with the old colour
	// decides: whether the shift may advance, or whether it goes back.
	Relative string `json:"relative,omitempty" jsonschema:"enum=advance,enum=rollback"`
	// SourceDown is what happens when a source of a required signal
	// stays silent.
	SourceDown SourceDown `json:"sourceDown,omitempty"`
	// OnFailure is what a failure after traffic was moved leads to:
	// rollback, or freeze, which holds (exit 4) and leaves going back to a
	// person, for a release whose schema can't go back.
	OnFailure string `json:"onFailure,omitempty" jsonschema:"enum=rollback,enum=freeze"`
	// OnRival is what it leads to that somebody else rolls the target while it
	// is given traffic: hold (exit 4), or rollback. Who changes the route
	// itself is never fought: that always holds.
	OnRival string `json:"onRival,omitempty" jsonschema:"enum=hold,enum=rollback"`
}

// RuleOverride changes the numbers of one rule. Unset fields keep the
// profile's value.
type RuleOverride struct {
	// ID of the rule, such as rollback-error-ratio.
	ID string `json:"id"`
	// Threshold is in the rule's own unit; ratios are 0 to 1.
	Threshold *float64 `json:"threshold,omitempty"`
	// For is how long the comparison must hold without a break.
	For *Duration `json:"for,omitempty"`
	// Window is the time over which rates and quantiles are taken.
	Window *Duration `json:"window,omitempty"`
	// MinimumSamples is the number of requests in the window under which
	// the rule has no data.
	MinimumSamples *float64 `json:"minimumSamples,omitempty"`
	// Disabled takes the rule out; it is still printed, as disabled.
	Disabled bool `json:"disabled,omitempty"`
}

// SourceDown bounds how long a silent source is waited for, and says what
// then: hold (keep the split, exit 4) or rollback.
type SourceDown struct {
	// Deadline is how long a silent source is waited for.
	Deadline Duration `json:"deadline,omitempty"`
	// Policy is hold or rollback.
	Policy string `json:"policy,omitempty" jsonschema:"enum=hold,enum=rollback"`
}
