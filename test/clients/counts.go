package clients

import (
	"maps"
	"slices"
	"time"
)

// ClientKind is how a client treats its connections.
type ClientKind string

// The kinds of client; see the package's documentation.
const (
	KeepAlive ClientKind = "keep-alive"
	Fresh     ClientKind = "fresh"
)

// FailureKind is how a request failed.
type FailureKind string

// The kinds of failure: there was no whole answer, or it was a bad one.
const (
	Transport FailureKind = "transport"
	Status    FailureKind = "status"
)

// Failure is one failed request.
type Failure struct {
	// Time is when the request was sent.
	Time   time.Time   `json:"time"`
	Client ClientKind  `json:"client"`
	Kind   FailureKind `json:"kind"`
	// Version is who gave the bad answer, where it said so.
	Version string `json:"version,omitempty"`
	// Detail is the error or the status line.
	Detail string `json:"detail"`
}

// Tally counts requests.
type Tally struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
	// ByVersion counts answers by their X-Version header, failed ones too;
	// answers without it are under "".
	ByVersion map[string]int `json:"byVersion"`
	// Connections is how many were opened.
	Connections int `json:"connections"`
	// Slowest is the longest that a request took, failed ones too.
	Slowest time.Duration `json:"slowestNanoseconds"`
}

// Counts is what the clients saw: all of them, then each kind.
type Counts struct {
	Tally
	KeepAlive Tally `json:"keepAlive"`
	Fresh     Tally `json:"fresh"`
	// Failures are the first ones, up to Options.KeepFailures.
	Failures []Failure `json:"failures"`
}

// Since returns what was counted after an earlier count of the same run:
// requests, answers, connections and failures. Slowest stays that of the whole
// run, which is all that is known of it.
func (c Counts) Since(earlier Counts) Counts {
	c = c.clone()
	c.Tally = c.Tally.since(earlier.Tally)
	c.KeepAlive = c.KeepAlive.since(earlier.KeepAlive)
	c.Fresh = c.Fresh.since(earlier.Fresh)
	c.Failures = c.Failures[min(len(earlier.Failures), len(c.Failures)):]
	return c
}

func (t Tally) since(earlier Tally) Tally {
	t.Requests -= earlier.Requests
	t.Failed -= earlier.Failed
	t.Connections -= earlier.Connections
	for version, count := range earlier.ByVersion {
		t.ByVersion[version] -= count
	}
	maps.DeleteFunc(t.ByVersion, func(_ string, count int) bool { return count == 0 })
	return t
}

func (c Counts) clone() Counts {
	c.ByVersion = maps.Clone(c.ByVersion)
	c.KeepAlive.ByVersion = maps.Clone(c.KeepAlive.ByVersion)
	c.Fresh.ByVersion = maps.Clone(c.Fresh.ByVersion)
	c.Failures = slices.Clone(c.Failures)
	return c
}

func (t *Tally) add(version string, answered, failed bool, took time.Duration) {
	t.Requests++
	if failed {
		t.Failed++
	}
	if answered {
		t.ByVersion[version]++
	}
	t.Slowest = max(t.Slowest, took)
}
