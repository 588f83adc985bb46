package faults

import (
	"context"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
)

// Dependency is what a run depends on, as the table calls it.
type Dependency string

// The dependencies.
const (
	APIServer  Dependency = "API server"
	Prometheus Dependency = "Prometheus"
	PostgreSQL Dependency = "PostgreSQL"
)

// Dependencies lists all of them.
func Dependencies() []Dependency { return []Dependency{APIServer, Prometheus, PostgreSQL} }

// Fault is one way in which a dependency fails.
type Fault struct {
	Dependency Dependency
	// Name is how the table calls it.
	Name string
	// Lasts is how long it goes on once the phase has begun; 0 is until the
	// program has ended.
	Lasts time.Duration
	// Everybody is harmed by it, and not the program alone: nothing else may
	// run on the cluster meanwhile.
	Everybody bool

	// begin breaks the dependency, and returns what mends it.
	begin func(ctx context.Context, suite *Suite) (mend func(context.Context) error, err error)
}

// String is the dependency and the name.
func (f Fault) String() string { return string(f.Dependency) + " " + f.Name }

const (
	// brief is shorter than a lease lasts (journal.DefaultLeaseDuration), and
	// than any deadline of the Release.
	brief = 5 * time.Second
	// long is longer than a lease lasts, and than the gate may be blind
	// (gates.sourceDown.deadline of [Quick]).
	long = 25 * time.Second
)

// cutOff is what a dependency is that nobody reaches until the command has ended.
const cutOff = "cut"

// Known are all the faults that there are.
func Known() []Fault {
	return []Fault{
		{Dependency: APIServer, Name: "cut for 5 s", Lasts: brief, begin: onAPIServer((*link).cut)},
		{Dependency: APIServer, Name: "cut for 25 s", Lasts: long, begin: onAPIServer((*link).cut)},
		{Dependency: APIServer, Name: "silent for 5 s", Lasts: brief, begin: onAPIServer((*link).silence)},
		{Dependency: APIServer, Name: "slow for 10 s", Lasts: 2 * brief, begin: onAPIServer((*link).slow)},
		{Dependency: APIServer, Name: "restarting", Lasts: brief, Everybody: true, begin: restart},
		{Dependency: APIServer, Name: "409 for 5 s", Lasts: brief, begin: answering(conflict)},
		{Dependency: APIServer, Name: "429 for 5 s", Lasts: brief, begin: answering(tooMany)},
		{Dependency: APIServer, Name: "500 for 5 s", Lasts: brief, begin: answering(internal)},
		{Dependency: APIServer, Name: "half a body for 5 s", Lasts: brief, begin: answering(half)},
		{Dependency: APIServer, Name: "streams closed for 5 s", Lasts: brief, begin: closeStreams},

		{Dependency: Prometheus, Name: "cut for 3 s", Lasts: 3 * time.Second, begin: onPrometheus((*link).cut)},
		{Dependency: Prometheus, Name: cutOff, begin: onPrometheus((*link).cut)},
		{Dependency: Prometheus, Name: "silent", begin: onPrometheus((*link).silence)},
		{Dependency: Prometheus, Name: "slow", begin: onPrometheus((*link).crawl)},
		{Dependency: Prometheus, Name: "empty", begin: talking(faultproxy.Empty)},
		{Dependency: Prometheus, Name: "nonsense", begin: talking(faultproxy.Nonsense)},

		{Dependency: PostgreSQL, Name: "cut for 3 s", Lasts: 3 * time.Second, begin: onPostgreSQL((*link).cut)},
		{Dependency: PostgreSQL, Name: cutOff, begin: onPostgreSQL((*link).cut)},
		{Dependency: PostgreSQL, Name: "silent", begin: onPostgreSQL((*link).silence)},
		{Dependency: PostgreSQL, Name: "slow", begin: onPostgreSQL((*link).crawl)},
		{Dependency: PostgreSQL, Name: "garbage", begin: impostor(garbage)},
		{Dependency: PostgreSQL, Name: "another password", begin: impostor(refusal("28P01", "password authentication failed"))},
		{Dependency: PostgreSQL, Name: "another database", begin: impostor(refusal("3D000", "database does not exist"))},
		{Dependency: PostgreSQL, Name: "no connection left", begin: impostor(refusal("53300", "sorry, too many clients already"))},
	}
}

// find returns the fault of that name.
func find(dependency Dependency, name string) (Fault, bool) {
	for _, fault := range Known() {
		if fault.Dependency == dependency && fault.Name == name {
			return fault, true
		}
	}
	return Fault{}, false
}
