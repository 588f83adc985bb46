package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Dial opens a connection to the database's server in place of the network's
// own dialler, for instance through a port-forward.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Target is one database and the way in which it is observed. Its connection
// string lives behind a pointer that no format verb follows, and no method
// returns it.
type Target struct {
	// Name is the database's name in the Release, such as main.
	Name string
	// Via is how it is observed: direct, portForward, exporter or
	// prometheus; never auto, which Resolve has decided.
	Via release.Via
	// Why says for people why this way was taken.
	Why string

	config *pgx.ConnConfig
}

// NewTarget reads a connection string (URL or keyword/value form). dial may
// be nil for the network's own. The error never quotes the string.
func NewTarget(name, dsn string, via release.Via, dial Dial) (Target, error) {
	config, err := parseConnectionString(dsn)
	if err != nil {
		return Target{}, fmt.Errorf("read connection string of database %s: %w", name, err)
	}
	// A pool's settings are the pool library's own; the server would refuse
	// them as unknown parameters.
	maps.DeleteFunc(config.RuntimeParams, func(key, _ string) bool { return strings.HasPrefix(key, "pool_") })
	if dial != nil {
		config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, network, address)
		}
		// The name is resolved where the connection comes out, not here.
		config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	}
	return Target{Name: name, Via: via, config: config}, nil
}

// Sessionless is a target that is observed through an exporter or Prometheus.
func Sessionless(name string, via release.Via, why string) Target {
	return Target{Name: name, Via: via, Why: why}
}

// HasSession reports whether Connect can open a session.
func (t Target) HasSession() bool { return t.config != nil }

// Database is the name of the database that the observer connects to, "" for
// a target without a session.
func (t Target) Database() string {
	if t.config == nil {
		return ""
	}
	return t.config.Database
}

// String says which database and where, without user or password.
func (t Target) String() string {
	if t.config == nil {
		return fmt.Sprintf("database %s (%s)", t.Name, t.Via)
	}
	return fmt.Sprintf("database %s at %s/%s (%s)", t.Name, t.address(), t.config.Database, t.Via)
}

// GoString is String: %#v shows no more than %v.
func (t Target) GoString() string { return t.String() }

// MarshalText is String: nor does any encoder.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (t Target) address() string {
	return net.JoinHostPort(t.config.Host, fmt.Sprint(t.config.Port))
}

// secrets are the texts that an error from elsewhere must not repeat.
func (t Target) secrets() []string {
	if t.config == nil {
		return nil
	}
	return []string{t.config.ConnString(), t.config.Password}
}

// parseConnectionString hides the cause: pgx quotes the string in it.
func parseConnectionString(dsn string) (*pgx.ConnConfig, error) {
	if strings.TrimSpace(dsn) == "" {
		return nil, errors.New("it is empty")
	}
	config, err := pgx.ParseConfig(strings.TrimSpace(dsn))
	if err != nil {
		return nil, errors.New("it is not a PostgreSQL connection string, such as postgres://user@host:5432/database")
	}
	return config, nil
}
