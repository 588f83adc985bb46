// Package store keeps the recommendations in PostgreSQL.
//
// It owns the connection pool, the schema and the queries. Two things about
// the pool are deliberate. It really grows to its size, at start when asked
// to be warm: two colours whose pools together exceed max_connections must
// fail here as they would in production. And every connection that PostgreSQL
// refuses is logged and counted with its SQLSTATE wherever it was attempted,
// because a refused connection that is silently retried is how an exhausted
// database stays unnoticed.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is how the database is reached.
type Config struct {
	// DSN is a secret: it appears in no log and no error.
	DSN string
	// ApplicationName is set unless the DSN sets one; it is how a session
	// in pg_stat_activity is told to belong to a colour.
	ApplicationName string
	// PoolSize is the most connections that the pool opens, MinConns the
	// fewest that it keeps.
	PoolSize, MinConns int32
	// Warm opens the whole pool at start and keeps it.
	Warm bool
	// ConnectTimeout bounds one attempt to connect.
	ConnectTimeout time.Duration
}

// Observer is told what the pool does.
type Observer struct {
	Logger *slog.Logger
	// OnError is called with the SQLSTATE of each refusal by the server,
	// or "" where there was no answer.
	OnError func(sqlstate string)
	// Register registers the pool's metrics.
	Register func(prometheus.Collector)
}

// Store is the recommendations in the database.
type Store struct {
	pool     *pgxpool.Pool
	observer Observer
	warm     bool
	prepared atomic.Bool
	waiting  atomic.Int64
	// queryTime makes reads hold their connection this long (a fault).
	queryTime atomic.Int64

	mu     sync.Mutex
	leaked []*pgx.Conn
}

// Open sets the pool up; connecting happens in Prepare and with the first
// requests.
func Open(ctx context.Context, config Config, observer Observer) (*Store, error) {
	settings, err := pgxpool.ParseConfig(config.DSN)
	if err != nil {
		// The cause quotes the connection string.
		return nil, errors.New("read DATABASE_URL: it is not a PostgreSQL connection string")
	}
	if settings.ConnConfig.RuntimeParams["application_name"] == "" {
		settings.ConnConfig.RuntimeParams["application_name"] = config.ApplicationName
	}
	settings.MaxConns = config.PoolSize
	settings.MinConns = config.MinConns
	settings.HealthCheckPeriod = 5 * time.Second
	if config.Warm {
		settings.MinConns = config.PoolSize
	}
	settings.ConnConfig.ConnectTimeout = config.ConnectTimeout
	settings.ConnConfig.Tracer = refusals{observer}
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("open database pool: %w", err)
	}
	s := &Store{pool: pool, observer: observer, warm: config.Warm}
	observer.Register(poolCollector{store: s})
	return s, nil
}

// Prepare creates the schema and, when the pool is to be warm, fills it. It
// tries until it succeeds or ctx ends: a database that is away for a while
// must not make the pods crash in a loop.
func (s *Store) Prepare(ctx context.Context) {
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	for {
		err := s.createSchema(ctx)
		if err == nil {
			break
		}
		s.observer.Logger.ErrorContext(ctx, "database is not prepared", "error", err, "sqlstate", SQLState(err))
		select {
		case <-ctx.Done():
			return
		case <-retry.C:
		}
	}
	s.prepared.Store(true)
	if s.warm {
		s.fill(ctx)
	}
	s.observer.Logger.InfoContext(ctx, "database is prepared", "connections", s.pool.Stat().TotalConns())
}

// fill opens every connection of the pool by taking them all at once. Those
// that PostgreSQL refuses are reported by the tracer; the pool goes on trying
// for them by itself.
func (s *Store) fill(ctx context.Context) {
	var taken []*pgxpool.Conn
	for range s.pool.Config().MaxConns {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			break
		}
		taken = append(taken, conn)
	}
	for _, conn := range taken {
		conn.Release()
	}
}

// Prepared reports whether the schema is there.
func (s *Store) Prepared() bool { return s.prepared.Load() }

// Ping asks the database for an answer.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.withConnection(ctx, func(conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// Close ends every connection, leaked ones too.
func (s *Store) Close() {
	s.ReturnLeaked()
	s.pool.Close()
}

// withConnection runs work on a connection of the pool and counts who waits
// for one.
func (s *Store) withConnection(ctx context.Context, work func(*pgxpool.Conn) error) error {
	s.waiting.Add(1)
	conn, err := s.pool.Acquire(ctx)
	s.waiting.Add(-1)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", withoutAddress(err))
	}
	defer conn.Release()
	return work(conn)
}

// SQLState is the server's code for what went wrong (53300 is too many
// connections), or "" where the server did not answer.
func SQLState(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// withoutAddress keeps only what the server said where it said something: the
// rest of a connection error tells user, database and host to whoever reads
// the answer.
func withoutAddress(err error) error {
	var refusal *pgconn.PgError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, new(*pgconn.ConnectError)):
		return errors.New("the database can't be reached")
	default:
		return err
	}
}

// refusals is a pgx tracer: it sees every attempt to connect, those that the
// pool makes in the background too.
type refusals struct{ observer Observer }

func (refusals) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

func (r refusals) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	if data.Err == nil {
		return
	}
	sqlstate := SQLState(data.Err)
	r.observer.OnError(sqlstate)
	r.observer.Logger.ErrorContext(ctx, "database refused a connection",
		"sqlstate", sqlstate, "error", withoutAddress(data.Err))
}

// TraceQueryStart and TraceQueryEnd make refusals a pgx.QueryTracer, which is
// what a connection's Tracer must be; queries are of no interest here.
func (refusals) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd does nothing.
func (refusals) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
