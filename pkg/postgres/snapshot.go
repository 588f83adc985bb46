package postgres

import (
	"slices"
	"time"
)

// ApplicationName is the name under which the observer's own session stands
// in pg_stat_activity.
const ApplicationName = "bluegreen"

// The states and types of sessions that the package looks at, as
// pg_stat_activity spells them.
const (
	clientBackend          = "client backend"
	walSender              = "walsender"
	stateIdleInTransaction = "idle in transaction"
	stateIdleInAborted     = "idle in transaction (aborted)"
)

// NoLimit is how PostgreSQL writes that a database or role has no connection
// limit of its own.
const NoLimit = -1

// Snapshot is what the database looked like at one moment.
type Snapshot struct {
	Time time.Time `json:"time"`
	// Version is server_version_num, such as 150004; VersionText is for
	// people.
	Version     int    `json:"version"`
	VersionText string `json:"versionText"`
	// Database and Role are the observer's own.
	Database string `json:"database"`
	Role     string `json:"role"`
	// Standby: the server is in recovery.
	Standby bool   `json:"standby,omitempty"`
	Limits  Limits `json:"limits"`
	// SeesSessions: the observer has pg_read_all_stats (pg_monitor holds it)
	// or is a superuser. Without it Sessions is too short in ways that can't
	// be told, and nothing may be concluded from it.
	SeesSessions bool `json:"seesSessions"`
	// Counted: an exporter counted the backends of each database, and nobody
	// saw a session. Sessions is empty, and whose the backends are is not
	// known.
	Counted bool `json:"counted,omitempty"`
	// Databases and Roles hold every database and login role by name.
	Databases map[string]DatabaseState `json:"databases"`
	Roles     map[string]RoleLimit     `json:"roles"`
	Sessions  []Session                `json:"sessions"`
	// Timeouts are those that roles and databases set for their sessions, and
	// where Configuration is true those of the server's configuration. nil: nobody
	// looked.
	Timeouts      []TimeoutSetting `json:"timeouts"`
	Configuration bool             `json:"configuration,omitempty"`
}

// Limits are the cluster's connection limits.
type Limits struct {
	// MaxConnections is the live value of max_connections.
	MaxConnections int `json:"maxConnections"`
	// Configured is the value in the configuration files, 0 when the
	// observer may not read them. It differs from MaxConnections while a
	// change waits for a restart.
	Configured int `json:"configured,omitempty"`
	// PendingRestart: the server has read a change of max_connections that
	// only a restart brings into effect.
	PendingRestart bool `json:"pendingRestart,omitempty"`
	// SuperuserReserved is superuser_reserved_connections.
	SuperuserReserved int `json:"superuserReserved"`
	// Reserved is reserved_connections (PostgreSQL 16 and later, else 0).
	Reserved int `json:"reserved"`
}

// Ordinary is how many connections roles without privileges may have
// together: max_connections − superuser_reserved_connections −
// reserved_connections.
func (l Limits) Ordinary() int {
	return max(0, l.MaxConnections-l.SuperuserReserved-l.Reserved)
}

// DatabaseState is one database's limit and what it holds now.
type DatabaseState struct {
	// Limit is datconnlimit, NoLimit when there is none.
	Limit int `json:"limit"`
	// Backends is pg_stat_database.numbackends.
	Backends int `json:"backends"`
}

// RoleLimit is one role's limit.
type RoleLimit struct {
	// Limit is rolconnlimit, NoLimit when there is none.
	Limit     int  `json:"limit"`
	Superuser bool `json:"superuser,omitempty"`
}

// Session is one row of pg_stat_activity.
type Session struct {
	PID         int    `json:"pid"`
	Database    string `json:"database,omitempty"`
	Role        string `json:"role,omitempty"`
	Application string `json:"application,omitempty"`
	// Address is client_addr, "" for a Unix socket.
	Address     string `json:"address,omitempty"`
	State       string `json:"state,omitempty"`
	BackendType string `json:"backendType,omitempty"`
	// WaitingForLock: it stands in a queue for a heavyweight lock, behind
	// the sessions in BlockedBy (a prepared transaction shows as 0).
	WaitingForLock bool  `json:"waitingForLock,omitempty"`
	BlockedBy      []int `json:"blockedBy,omitempty"`
	// TransactionAge is since its transaction began, 0 outside of one;
	// StateAge since its state last changed.
	TransactionAge time.Duration `json:"transactionAge,omitempty"`
	StateAge       time.Duration `json:"stateAge,omitempty"`
	// Hidden: the observer may not see what this session does.
	Hidden bool `json:"hidden,omitempty"`
	// Own is the observer's session itself.
	Own bool `json:"own,omitempty"`
}

// IdleInTransaction reports whether it holds a transaction open and does
// nothing in it.
func (s Session) IdleInTransaction() bool {
	return s.State == stateIdleInTransaction || s.State == stateIdleInAborted
}

// counts reports whether the session takes one of max_connections. Before
// PostgreSQL 12 WAL senders did too.
func (s Session) counts(version int) bool {
	return s.BackendType == clientBackend || s.BackendType == walSender && version < 120000
}

// ClientSessions are the sessions that take one of max_connections, the
// observer's own among them.
func (s Snapshot) ClientSessions() []Session {
	var clients []Session
	for _, session := range s.Sessions {
		if session.counts(s.Version) {
			clients = append(clients, session)
		}
	}
	return clients
}

// backends are those of all databases.
func (s Snapshot) backends() int {
	sum := 0
	for _, state := range s.Databases {
		sum += state.Backends
	}
	return sum
}

// Blocked are the sessions that wait for a lock.
func (s Snapshot) Blocked() []Session {
	var blocked []Session
	for _, session := range s.Sessions {
		if session.WaitingForLock {
			blocked = append(blocked, session)
		}
	}
	return blocked
}

// OldestTransactions are the client sessions within a transaction, the oldest
// first, without the observer's own.
func (s Snapshot) OldestTransactions() []Session {
	var open []Session
	for _, session := range s.ClientSessions() {
		if session.TransactionAge > 0 && !session.Own {
			open = append(open, session)
		}
	}
	slices.SortStableFunc(open, func(a, b Session) int {
		return int(b.TransactionAge/time.Millisecond - a.TransactionAge/time.Millisecond)
	})
	return open
}
