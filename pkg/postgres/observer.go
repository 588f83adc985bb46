package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"k8s.io/utils/clock"
)

// The bounds of the observer's session. It must never be what it looks for: a
// session that waits, holds a lock or writes.
const (
	connectTimeout     = 5 * time.Second
	statementTimeout   = "5s"
	lockTimeout        = "1s"
	transactionTimeout = "10s"
)

// Observer keeps one read-only session with a database. It may be used from
// several goroutines; they take turns.
type Observer struct {
	target Target
	clock  clock.PassiveClock

	mu   sync.Mutex
	conn *pgx.Conn
}

// NewObserver returns an observer that opens its session with the first
// Snapshot. Use it where a refusal must not end the observation.
func NewObserver(target Target, clock clock.PassiveClock) *Observer {
	return &Observer{target: target, clock: clock}
}

// Connect returns an observer whose session is open. When PostgreSQL refuses
// it for want of connections the error is ErrTooManyConnections, and
// ErrRoleLimit too where only its own role's are used up; no error holds a
// secret.
func Connect(ctx context.Context, target Target, clock clock.PassiveClock) (*Observer, error) {
	observer := NewObserver(target, clock)
	observer.mu.Lock()
	defer observer.mu.Unlock()
	if err := observer.open(ctx); err != nil {
		return nil, err
	}
	return observer, nil
}

// Target is what is observed.
func (o *Observer) Target() Target { return o.target }

// Snapshot looks at the database once. A session that broke since the last
// look is opened again; one that breaks during the look is too, once.
func (o *Observer) Snapshot(ctx context.Context) (Snapshot, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	reused := o.isOpen()
	if !reused {
		if err := o.open(ctx); err != nil {
			return Snapshot{}, err
		}
	}
	snapshot, err := o.read(ctx)
	if err != nil && reused && !o.isOpen() && ctx.Err() == nil {
		if err := o.open(ctx); err != nil {
			return Snapshot{}, err
		}
		snapshot, err = o.read(ctx)
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("look into %s: %w", o.target, publicError(err, o.target.secrets()...))
	}
	return snapshot, nil
}

// Close ends the session; a later Snapshot opens it again.
func (o *Observer) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	err := o.conn.Close(ctx)
	o.conn = nil
	if err != nil {
		return fmt.Errorf("close session with %s: %w", o.target, publicError(err, o.target.secrets()...))
	}
	return nil
}

func (o *Observer) isOpen() bool { return o.conn != nil && !o.conn.IsClosed() }

func (o *Observer) open(ctx context.Context) error {
	if !o.target.HasSession() {
		return fmt.Errorf("connect to %s: %w", o.target, ErrNoSession)
	}
	config := o.target.config.Copy()
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = ApplicationName
	config.RuntimeParams["default_transaction_read_only"] = "on"
	config.RuntimeParams["statement_timeout"] = statementTimeout
	config.RuntimeParams["lock_timeout"] = lockTimeout
	config.RuntimeParams["idle_in_transaction_session_timeout"] = transactionTimeout
	// No named prepared statements: they add nothing to a few reads and
	// break behind a pooler.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.target, publicError(err, o.target.secrets()...))
	}
	o.conn = conn
	return nil
}

// read runs the statements in one read-only transaction: pg_stat_activity is
// then the same for all of them.
func (o *Observer) read(ctx context.Context) (Snapshot, error) {
	snapshot := Snapshot{Time: o.clock.Now(), Databases: map[string]DatabaseState{}, Roles: map[string]RoleLimit{}}
	err := pgx.BeginTxFunc(ctx, o.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return errors.Join(readServer(ctx, tx, &snapshot),
			readDatabases(ctx, tx, snapshot.Databases),
			readRoles(ctx, tx, snapshot.Roles))
	})
	return snapshot, err
}

func readServer(ctx context.Context, tx pgx.Tx, s *Snapshot) error {
	var own int
	err := tx.QueryRow(ctx, queryServer).Scan(&s.Version, &s.VersionText, &s.Database, &s.Role, &own, &s.Standby,
		&s.Limits.MaxConnections, &s.Limits.SuperuserReserved, &s.Limits.Reserved, &s.Limits.PendingRestart,
		&s.SeesSessions, &s.Configuration)
	if err != nil {
		return err
	}
	if s.Configuration {
		if err := tx.QueryRow(ctx, queryConfigured).Scan(&s.Limits.Configured); err != nil {
			return err
		}
	}
	if s.Timeouts, err = readTimeouts(ctx, tx, s.Configuration); err != nil {
		return err
	}
	s.Sessions, err = readSessions(ctx, tx, own)
	return err
}

func readSessions(ctx context.Context, tx pgx.Tx, own int) ([]Session, error) {
	rows, err := tx.Query(ctx, querySessions)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Session, error) {
		var session Session
		var wait string
		var transaction, state float64
		err := row.Scan(&session.PID, &session.Database, &session.Role, &session.Application, &session.Address,
			&session.State, &session.BackendType, &wait, &transaction, &state, &session.BlockedBy, &session.Hidden)
		session.WaitingForLock = wait == "Lock"
		session.TransactionAge, session.StateAge = seconds(transaction), seconds(state)
		session.Own = session.PID == own
		return session, err
	})
}

func readDatabases(ctx context.Context, tx pgx.Tx, into map[string]DatabaseState) error {
	rows, err := tx.Query(ctx, queryDatabases)
	if err != nil {
		return err
	}
	var name string
	var state DatabaseState
	_, err = pgx.ForEachRow(rows, []any{&name, &state.Limit, &state.Backends}, func() error {
		into[name] = state
		return nil
	})
	return err
}

func readRoles(ctx context.Context, tx pgx.Tx, into map[string]RoleLimit) error {
	rows, err := tx.Query(ctx, queryRoles)
	if err != nil {
		return err
	}
	var name string
	var limit RoleLimit
	_, err = pgx.ForEachRow(rows, []any{&name, &limit.Limit, &limit.Superuser}, func() error {
		into[name] = limit
		return nil
	})
	return err
}

func seconds(value float64) time.Duration {
	return time.Duration(max(0, value) * float64(time.Second))
}
