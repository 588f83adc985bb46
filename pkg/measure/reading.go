package measure

import (
	"context"
	"time"
)

// Signal is one thing that can be measured about a release.
type Signal string

// The signals. Ratios are 0 to 1, times are seconds, rates are per second.
const (
	// RequestRate is requests per second of one colour, or of all of them
	// when no colour is asked about.
	RequestRate Signal = "request-rate"
	// ErrorRatio is the share of a colour's requests that failed (5xx).
	ErrorRatio Signal = "error-ratio"
	// LatencyP95 is the 95th percentile of a colour's latency, in seconds.
	LatencyP95 Signal = "latency-p95"
	// PoolSaturation is the fullest connection pool of a colour's pods:
	// acquired over maximum.
	PoolSaturation Signal = "pool-saturation"
	// DatabaseConnections is the client backends of a database over what
	// ordinary roles may have. 53300 reads as 1, for that is what it means.
	DatabaseConnections Signal = "database-connections"
	// DatabaseSessions is the sessions that a colour holds in a database.
	DatabaseSessions Signal = "database-sessions"
	// BlockedSessions is the sessions of anybody that wait for a lock which
	// a colour's session holds.
	BlockedSessions Signal = "blocked-sessions"
	// OldestTransaction is the age of a colour's oldest open transaction,
	// in seconds.
	OldestTransaction Signal = "oldest-transaction"
	// Restarts is the container restarts of a colour since the baseline.
	Restarts Signal = "restarts"
	// ReadyRatio is a colour's ready pods over its wanted replicas.
	ReadyRatio Signal = "ready-ratio"
	// CriticalAlerts is the number of firing alerts of severity critical.
	CriticalAlerts Signal = "critical-alerts"
	// ResidualRate is requests per second that still reach a colour which
	// the route no longer selects, by its own counters.
	ResidualRate Signal = "residual-rate"
	// OpenRequests is how many requests, streams and WebSockets the pods of a
	// colour have open, by their own gauges: what was open in each scrape of
	// the window.
	OpenRequests Signal = "open-requests"
)

// State says whether a reading has a value, and if not, why.
type State string

// The states. NoData: the source answered and had nothing to say, such as
// no requests in the window. SourceDown: the source could not be asked, or
// its answer made no sense.
const (
	OK         State = "ok"
	NoData     State = "no-data"
	SourceDown State = "source-down"
)

// Query asks for one signal.
type Query struct {
	Signal Signal `json:"signal"`
	// Color is the colour asked about, "" for what colours share.
	Color string `json:"color,omitempty"`
	// Database is the name of the release's database asked about.
	Database string `json:"database,omitempty"`
	// Window is the time over which rates and quantiles are taken.
	Window time.Duration `json:"window,omitempty"`
}

// Reading is one answer, with everything needed to judge it again later.
type Reading struct {
	Query
	State State   `json:"state"`
	Value float64 `json:"value"`
	// Samples is how many events the value rests on (requests for ratios
	// and quantiles, pods or sessions otherwise).
	Samples float64   `json:"samples"`
	Time    time.Time `json:"time"`
	// Source names who answered, such as prometheus monitoring/prometheus:9090
	// or pods (4 of 4 sampled).
	Source string `json:"source"`
	// Expression is what was really asked: the resolved PromQL, SQL or path.
	Expression string `json:"expression,omitempty"`
	// Detail is one sentence for people: the SQLSTATE, who holds the lock,
	// by what sessions were attributed and how far that can be trusted.
	Detail string `json:"detail,omitempty"`
}

// Source answers queries about some signals. A Source never returns an
// error: a failure to answer is a Reading with State SourceDown and the
// reason, without secrets, in Detail.
type Source interface {
	// Name says what it is, without secrets.
	Name() string
	// Answers reports whether the source can be asked for a signal at all.
	Answers(query Query) bool
	// Read answers one query within the context's deadline.
	Read(ctx context.Context, query Query) Reading
}
