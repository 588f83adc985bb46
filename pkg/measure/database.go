package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// snapshotTimeout bounds one look into the database.
	snapshotTimeout = 5 * time.Second
	// lockWait is how long a session must have waited to count as blocked:
	// PostgreSQL's own deadlock_timeout and the time after which
	// log_lock_waits speaks. Shorter waits are healthy contention.
	lockWait = time.Second
)

// snapshotter looks into a database; *postgres.Observer does.
type snapshotter interface {
	Snapshot(ctx context.Context) (postgres.Snapshot, error)
	Close() error
}

// database reads one PostgreSQL database through a session of its own, which
// it keeps: when the database is full there is no way to open another.
type database struct {
	name       string // in the release
	release    string
	pooled     bool // its colours reach it through a pooler
	session    snapshotter
	shown      string
	finder     podFinder
	colorNames []string
	workloads  func(color string) []release.Workload
	clock      clock.PassiveClock

	turn chan struct{}
	at   time.Time
	seen postgres.Snapshot
	err  error

	mu sync.Mutex
	// roles are those under which a session of a colour was ever seen: a
	// colour that is kept out by its role's limit has none.
	roles map[string]bool
}

// newDatabase makes a source over an observer.
func newDatabase(declared release.Database, session snapshotter, shown string, colors *colors, clock clock.PassiveClock) *database {
	return &database{
		name: declared.Name, release: colors.release, pooled: declared.Pooler != nil, session: session, shown: shown, finder: colors, colorNames: colors.spec.ColorNames(), clock: clock,
		workloads: func(color string) []release.Workload { return colors.spec.Colors[color].Workloads },
		turn:      make(chan struct{}, 1), roles: map[string]bool{},
	}
}

// Name says which database it is and how it is observed.
func (d *database) Name() string { return d.shown }

// Close ends the observer's session.
func (d *database) Close() error { return d.session.Close() }

// Answers reports whether the signal is one of this database.
func (d *database) Answers(query Query) bool {
	switch query.Signal {
	case DatabaseConnections, DatabaseSessions, BlockedSessions, OldestTransaction:
		return query.Database == d.name
	}
	return false
}

// Read answers one query. The queries of one tick share a look.
func (d *database) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, Time: d.clock.Now(), Source: d.shown, Expression: expressionOf(query.Signal)}
	snapshot, err := d.look(ctx)
	switch {
	case errors.Is(err, postgres.ErrRoleLimit) && !d.known(snapshot.Role):
		return reading.down("%v; the limit is the observer's, and says nothing of the colours", err)
	case errors.Is(err, postgres.ErrTooManyConnections) && query.Signal == DatabaseConnections:
		reading.Detail = "PostgreSQL refuses connections: SQLSTATE " + postgres.SQLStateTooManyConnections
		return reading.ok(1, 0)
	case errors.Is(err, postgres.ErrTooManyConnections):
		return reading.noData("PostgreSQL refuses the observer: SQLSTATE %s", postgres.SQLStateTooManyConnections)
	case err != nil:
		return reading.down("%v", err)
	}
	reading.Time = snapshot.Time
	if query.Signal == DatabaseConnections {
		return d.readConnections(ctx, reading, snapshot)
	}
	if !snapshot.SeesSessions {
		return reading.noData("role %s may not see other roles' sessions: grant it pg_monitor", snapshot.Role)
	}
	identities, err := d.identities(ctx)
	if err != nil {
		return reading.down("%v", err)
	}
	return readSessions(reading, snapshot, postgres.Attribute(snapshot, identities))
}

// readConnections holds the sessions against the limits. That the API server
// doesn't say which pods a colour has now hides no other limit: the roles are
// then those that are known from before.
func (d *database) readConnections(ctx context.Context, reading Reading, snapshot postgres.Snapshot) Reading {
	identities, err := d.identities(ctx)
	given := postgres.Attribute(snapshot, identities)
	d.mu.Lock()
	for _, color := range d.colorNames {
		for _, role := range given.Roles(color) {
			d.roles[role] = true
		}
	}
	roles := slices.Sorted(maps.Keys(d.roles))
	d.mu.Unlock()
	reading = readConnections(reading, snapshot, roles)
	if err != nil && len(roles) == 0 {
		reading.Detail += "; the limits of the colours' roles are left out: " + err.Error()
	}
	return reading
}

// known reports whether the colours log in with a role.
func (d *database) known(role string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.roles[role]
}

// look returns a snapshot that is recent enough, or takes one.
func (d *database) look(ctx context.Context) (postgres.Snapshot, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return postgres.Snapshot{}, fmt.Errorf("wait for the look into database %s: %w", d.name, ctx.Err())
	}
	if !d.at.IsZero() && d.clock.Since(d.at) < shared {
		return d.seen, d.err
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	seen, err := d.session.Snapshot(ctx)
	if err != nil {
		seen = postgres.Snapshot{Role: d.seen.Role} // the role of a session that was
	}
	d.seen, d.err, d.at = seen, err, d.clock.Now()
	return d.seen, d.err
}

// identities are by what the sessions of both colours can be told.
func (d *database) identities(ctx context.Context) ([]postgres.Identity, error) {
	var identities []postgres.Identity
	for _, color := range d.colorNames {
		pods, err := d.finder.pods(ctx, color)
		if err != nil {
			return nil, err
		}
		identities = append(identities, postgres.IdentityOf(d.release, color, d.workloads(color), pods, d.pooled))
	}
	return identities, nil
}

// expressionOf names what is read.
func expressionOf(signal Signal) string {
	switch signal {
	case DatabaseConnections:
		return "client backends of pg_stat_activity / (max_connections - superuser_reserved_connections - reserved_connections), or / datconnlimit, or / rolconnlimit of the colours' roles"
	case DatabaseSessions:
		return "client backends of pg_stat_activity of the colour"
	case BlockedSessions:
		return "pg_stat_activity with wait_event_type Lock whose pg_blocking_pids lead to the colour"
	}
	return "max(now() - xact_start) of pg_stat_activity of the colour"
}
