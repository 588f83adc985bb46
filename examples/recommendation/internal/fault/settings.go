// Package fault makes the service fail on purpose.
//
// The switches are the ways in which a new version fails in production:
// errors, latency, slow queries, leaked connections, a long transaction that
// holds a lock, readiness that never comes, a crash, no graceful drain. They
// are set by environment at start, as a bad release would bring them, or while
// it runs by POST /faults, as a release that turns bad under traffic.
//
// Errors and latency touch production requests alone: health checks keep
// passing, for the releases that hurt are those that look healthy.
package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Settings are the switches; the zero value is a healthy service.
type Settings struct {
	// ErrorRate is the share of production requests answered 500, 0 to 1.
	ErrorRate float64 `json:"errorRate"`
	// Latency is added to every production request.
	Latency Duration `json:"latency"`
	// QueryTime is how much longer each read holds its connection, which
	// saturates the pool.
	QueryTime Duration `json:"queryTime"`
	// LeakPerSecond and LeakPerRequest open connections outside the pool
	// and never close them.
	LeakPerSecond  float64 `json:"leakPerSecond"`
	LeakPerRequest int     `json:"leakPerRequest"`
	// LockFor starts a transaction that holds a lock for this long.
	LockFor Duration `json:"lockFor"`
	// LockMode is what it locks: rows (the default) or table.
	LockMode LockMode `json:"lockMode,omitempty"`
	// NotReady makes readiness fail.
	NotReady bool `json:"notReady"`
	// CrashAfter ends the process with status 1; "0s" at once.
	CrashAfter *Duration `json:"crashAfter,omitempty"`
	// NoDrain closes everything at SIGTERM.
	NoDrain bool `json:"noDrain"`
	// Log is written to the log with the other switches when they change, as
	// careless services write what they should not.
	Log string `json:"log,omitempty"`
}

// LockMode is what the long transaction locks.
type LockMode string

// The lock modes: with LockRows writers wait, with LockTable readers too.
const (
	LockRows  LockMode = "rows"
	LockTable LockMode = "table"
)

// Duration is a time.Duration that JSON writes as 500ms.
type Duration time.Duration

// UnmarshalJSON reads "500ms".
func (d *Duration) UnmarshalJSON(text []byte) error {
	var written string
	if err := json.Unmarshal(text, &written); err != nil {
		return fmt.Errorf("%s is not a duration such as \"500ms\"", text)
	}
	parsed, err := time.ParseDuration(written)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 500ms", written)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalJSON writes "500ms".
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// Problems says what makes no sense, by the field's name in JSON.
func (s Settings) Problems() map[string]error {
	problems := map[string]error{}
	if math.IsNaN(s.ErrorRate) || s.ErrorRate < 0 || s.ErrorRate > 1 {
		problems["errorRate"] = errors.New("it must be from 0 to 1")
	}
	if math.IsNaN(s.LeakPerSecond) || s.LeakPerSecond < 0 || s.LeakPerSecond > 1000 {
		problems["leakPerSecond"] = errors.New("it must be from 0 to 1000")
	}
	if s.LeakPerRequest < 0 {
		problems["leakPerRequest"] = errors.New("it must not be negative")
	}
	for field, d := range map[string]Duration{"latency": s.Latency, "queryTime": s.QueryTime, "lockFor": s.LockFor} {
		if d < 0 {
			problems[field] = errors.New("it must not be negative")
		}
	}
	if s.CrashAfter != nil && *s.CrashAfter < 0 {
		problems["crashAfter"] = errors.New("it must not be negative")
	}
	switch s.LockMode {
	case "", LockRows, LockTable:
	default:
		problems["lockMode"] = errors.New("it must be rows or table")
	}
	return problems
}
