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
	// Gates are the rules that advance a shift or roll it back.
	Gates Gates `json:"gates,omitempty"`
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
	// Steps are the weights to go through and how long each is held.
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

// ServiceRoute names a Service of the release's namespace.
type ServiceRoute struct {
	// Name of the Service whose selector is switched.
	Name string `json:"name"`
}

// Step is one weight of the target colour, in percent, and how long to hold
// it before the gate may advance.
type Step struct {
	// Weight is the share of traffic for the colour that it moves to, in
	// percent.
	Weight int `json:"weight" jsonschema:"minimum=1,maximum=100"`
	// Hold is how long the step lasts at least.
	Hold Duration `json:"hold,omitempty"`
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
	// Budget is the share of each limit that may be used, 0.8 by default:
	// the 80 % of the first runbook.
	Budget float64 `json:"budget,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1"`
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

// Gates choose a profile of rules and override its numbers.
type Gates struct {
	// Profile is weighted (the first runbook) or atomic (the second).
	Profile string `json:"profile,omitempty" jsonschema:"enum=weighted,enum=atomic"`
	// Interval is the time between two readings of every signal.
	Interval Duration `json:"interval,omitempty"`
	// Rules override a rule of the profile by its id.
	Rules []RuleOverride `json:"rules,omitempty"`
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
