package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLStateTooManyConnections is what PostgreSQL answers when the cluster, the
// database or the role has no connection left (too_many_connections).
const SQLStateTooManyConnections = "53300"

// ErrTooManyConnections is in the chain of an error that PostgreSQL refused a
// connection with SQLSTATE 53300. It is the incident itself, not an outage of
// the observer.
var ErrTooManyConnections = errors.New("too many connections (SQLSTATE 53300)")

// ErrRoleLimit is in the chain of an ErrTooManyConnections that concerns the
// role that logs in alone: its own CONNECTION LIMIT is used up. Of other roles
// it says nothing, so where the colours log in with another it is an outage of
// the observer and not the incident.
var ErrRoleLimit = errors.New("the role has no connection left of its own CONNECTION LIMIT")

// ErrNoSession is in the chain of an error about a target that is observed
// without a session, through an exporter or Prometheus.
var ErrNoSession = errors.New("it is observed without a session")

// SQLState returns the server's code for what went wrong, or "" where the
// server did not answer.
func SQLState(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// publicError keeps of an error of pgx only what may be shown: what the
// server said, a deadline, or the network's own words. A pgx error can quote
// user names and whole connection strings.
func publicError(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	var refusal *pgconn.PgError
	var network *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &refusal):
		return serverError(refusal, secrets)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &lookup):
		return errors.New(redact("host "+lookup.Name+" is not found", secrets))
	case errors.As(err, &network):
		return errors.New(redact(network.Error(), secrets))
	default:
		return errors.New(redact(lastClause(err), secrets))
	}
}

// serverError is a copy of what the server said without what it quotes of the
// statement, with ErrTooManyConnections in the chain where it is that.
func serverError(refusal *pgconn.PgError, secrets []string) error {
	shown := &pgconn.PgError{Severity: refusal.Severity, Code: refusal.Code, Message: redact(refusal.Message, secrets)}
	switch {
	case refusal.Code != SQLStateTooManyConnections:
		return shown
	case refusal.Routine == roleLimitRoutine:
		return fmt.Errorf("%w: %w", ErrRoleLimit, &tooManyConnections{shown})
	}
	return &tooManyConnections{shown}
}

// roleLimitRoutine is the function of the server that holds a role against
// its limit. The message names the role too, but in the server's language.
// The limits of a database and of the cluster are other functions'.
const roleLimitRoutine = "InitializeSessionUserId"

// tooManyConnections answers to both ErrTooManyConnections and
// *pgconn.PgError.
type tooManyConnections struct{ *pgconn.PgError }

func (e *tooManyConnections) Unwrap() []error { return []error{ErrTooManyConnections, e.PgError} }

// redact takes known secrets out of a text that somebody else wrote.
func redact(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// lastClause is the innermost cause, which says what happened; the outer ones
// of a connection error repeat user, database and host.
func lastClause(err error) string {
	for {
		var joined interface{ Unwrap() []error }
		switch inner := errors.Unwrap(err); {
		case inner != nil:
			err = inner
		case errors.As(err, &joined) && len(joined.Unwrap()) > 0:
			causes := joined.Unwrap()
			err = causes[len(causes)-1]
		default:
			return err.Error()
		}
	}
}
