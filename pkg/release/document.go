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
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names the release and the namespace in which everything it
// mentions lives.
type Metadata struct {
	Name      string `json:"name"`
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
	Require string `json:"require,omitempty"`
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
	// Deadlines bound every phase.
	Deadlines Deadlines `json:"deadlines,omitempty"`
}

// ServiceRoute names a Service of the release's namespace.
type ServiceRoute struct {
	Name string `json:"name"`
}

// Step is one weight of the target colour, in percent, and how long to hold
// it before the gate may advance.
type Step struct {
	Weight int      `json:"weight"`
	Hold   Duration `json:"hold,omitempty"`
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
// exist. The defaults are the figures of the two runbooks (seeds).
type Deadlines struct {
	// Rollout: the target's workloads are applied and ready.
	Rollout Duration `json:"rollout,omitempty"`
	// Validation: logs, health, synthetic transactions and baseline.
	Validation Duration `json:"validation,omitempty"`
	// Total: from the first phase to the end of the watch.
	Total Duration `json:"total,omitempty"`
	// Reroute: a switch is proven on both planes.
	Reroute Duration `json:"reroute,omitempty"`
	// Recover: after a rollback the old side is proven healthy.
	Recover Duration `json:"recover,omitempty"`
	// Rollback: the whole of a rollback.
	Rollback Duration `json:"rollback,omitempty"`
	// Drain: residual requests on the old side have ended.
	Drain Duration `json:"drain,omitempty"`
}

// Database is one PostgreSQL database that the colours share.
type Database struct {
	Name    string  `json:"name"`
	Observe Observe `json:"observe,omitempty"`
	Pool    Pool    `json:"pool,omitempty"`
	// Budget is the share of each limit that may be used, 0.8 by default:
	// the 80 % of the first seed.
	Budget float64 `json:"budget,omitempty"`
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
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`
	// Env is an environment variable of the process that runs the tool.
	Env string `json:"env,omitempty"`
}

// IsZero reports whether nothing is named.
func (s SecretSource) IsZero() bool { return s.SecretKeyRef == nil && s.Env == "" }

// SecretKeyReference is one key of one Secret in the release's namespace.
type SecretKeyReference struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Pool says where a pod's connection pool size is set.
type Pool struct {
	// Env is the variable of the container that holds it.
	Env string `json:"env,omitempty"`
	// Size overrides discovery: connections per pod.
	Size int `json:"size,omitempty"`
}

// Validation is what the target must answer, past the router, before it is
// given traffic; and again, as the business check, at the end of the watch.
type Validation struct {
	Health    *HTTPProbe `json:"health,omitempty"`
	Synthetic []Probe    `json:"synthetic,omitempty"`
	// Logs makes a start-up log line that looks like a failure block.
	Logs *LogRule `json:"logs,omitempty"`
}

// Probe is one synthetic transaction, over HTTP or gRPC.
type Probe struct {
	Name string     `json:"name"`
	HTTP *HTTPProbe `json:"http,omitempty"`
	GRPC *GRPCProbe `json:"grpc,omitempty"`
}

// HTTPProbe is one request and what its answer must be.
type HTTPProbe struct {
	Method  string            `json:"method,omitempty"`
	Path    string            `json:"path"`
	Port    int               `json:"port,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	// Status is the expected code; 0 means any 2xx.
	Status int `json:"status,omitempty"`
	// Contains is text that the answer's body must hold.
	Contains string   `json:"contains,omitempty"`
	Timeout  Duration `json:"timeout,omitempty"`
}

// GRPCProbe calls grpc.health.v1.Health/Check for a service.
type GRPCProbe struct {
	Service string   `json:"service,omitempty"`
	Port    int      `json:"port"`
	Timeout Duration `json:"timeout,omitempty"`
}

// LogRule says which start-up log lines of the target block.
type LogRule struct {
	// Forbid are regular expressions (RE2).
	Forbid []string `json:"forbid,omitempty"`
}

// Metrics says where signals come from.
type Metrics struct {
	Prometheus *Prometheus `json:"prometheus,omitempty"`
	// Provider is the dialect of the metric names: http or otel.
	Provider string `json:"provider,omitempty"`
	// VersionLabel is the label of the pods, and of the series, that
	// tells the colours apart.
	VersionLabel string `json:"versionLabel,omitempty"`
	// Path and Port are where the pods serve /metrics when their
	// annotations do not say.
	Path string `json:"path,omitempty"`
	Port int    `json:"port,omitempty"`
	// Alertmanager is NAMESPACE/SERVICE:PORT or a URL.
	Alertmanager string `json:"alertmanager,omitempty"`
}

// Prometheus is a server by URL, or NAMESPACE/SERVICE:PORT reached through
// the API server. Exactly one is set.
type Prometheus struct {
	URL     string `json:"url,omitempty"`
	Service string `json:"service,omitempty"`
}

// Gates choose a profile of rules and override its numbers.
type Gates struct {
	// Profile is weighted (the first seed) or atomic (the second).
	Profile string `json:"profile,omitempty"`
	// Interval is the time between two readings of every signal.
	Interval Duration `json:"interval,omitempty"`
	// Rules override a rule of the profile by its id.
	Rules []RuleOverride `json:"rules,omitempty"`
	// SourceDown is what happens when a source of a required signal
	// stays silent.
	SourceDown SourceDown `json:"sourceDown,omitempty"`
}

// RuleOverride changes the numbers of one rule. Unset fields keep the
// profile's value.
type RuleOverride struct {
	ID string `json:"id"`
	// Threshold is in the rule's own unit; ratios are 0 to 1.
	Threshold *float64  `json:"threshold,omitempty"`
	For       *Duration `json:"for,omitempty"`
	Window    *Duration `json:"window,omitempty"`
	// MinimumSamples is the number of requests in the window under which
	// the rule has no data.
	MinimumSamples *float64 `json:"minimumSamples,omitempty"`
	// Disabled takes the rule out; it is still printed, as disabled.
	Disabled bool `json:"disabled,omitempty"`
}

// SourceDown bounds how long a silent source is waited for, and says what
// then: hold (keep the split, exit 4) or rollback.
type SourceDown struct {
	Deadline Duration `json:"deadline,omitempty"`
	Policy   string   `json:"policy,omitempty"`
}
