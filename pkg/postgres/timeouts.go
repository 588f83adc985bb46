package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Timeout is the name of a setting that bounds what a session may hold.
type Timeout string

// The timeouts without which one session can hold up all others.
const (
	StatementTimeout         Timeout = "statement_timeout"
	LockTimeout              Timeout = "lock_timeout"
	IdleInTransactionTimeout Timeout = "idle_in_transaction_session_timeout"
)

// Timeouts are all of them.
func Timeouts() []Timeout {
	return []Timeout{StatementTimeout, LockTimeout, IdleInTransactionTimeout}
}

// TimeoutSetting is a timeout that sessions begin with.
type TimeoutSetting struct {
	Timeout Timeout `json:"timeout"`
	// Role and Database say whose sessions do: "" is any. Where both are "" it
	// stands in the server's configuration.
	Role     string `json:"role,omitempty"`
	Database string `json:"database,omitempty"`
	// Value is as it was written, such as 30s or 0.
	Value string `json:"value"`
}

// bounds reports whether the value is a bound at all: 0 of any unit is none.
func (t TimeoutSetting) bounds() bool {
	number := strings.TrimRight(strings.TrimSpace(t.Value), "abcdefghijklmnopqrstuvwxyz ")
	return strings.Trim(number, "0.") != ""
}

// fits reports whether it is for the sessions of a role with a database.
func (t TimeoutSetting) fits(role, database string) bool {
	return (t.Role == "" || t.Role == role) && (t.Database == "" || t.Database == database)
}

// precedence is higher where PostgreSQL lets a setting win: a role's in one
// database, a role's, a database's, the server's.
func (t TimeoutSetting) precedence() int {
	precedence := 0
	if t.Role != "" {
		precedence += 2
	}
	if t.Database != "" {
		precedence++
	}
	return precedence
}

// Unbounded are the timeouts that a role's sessions with the observer's database
// begin without, as far as can be seen: what an application sets in its own
// sessions is seen by nobody else, and what the server's configuration says only
// where Configuration is true.
func (s Snapshot) Unbounded(role string) []Timeout {
	var unbounded []Timeout
	for _, timeout := range Timeouts() {
		var wins TimeoutSetting
		for _, setting := range s.Timeouts {
			if setting.Timeout == timeout && setting.fits(role, s.Database) && (wins.Timeout == "" || setting.precedence() > wins.precedence()) {
				wins = setting
			}
		}
		if !wins.bounds() {
			unbounded = append(unbounded, timeout)
		}
	}
	return unbounded
}

const (
	// queryTimeouts reads what roles and databases set, of these settings alone:
	// others may hold secrets.
	queryTimeouts = `
SELECT pg_catalog.split_part(one, '=', 1),
       coalesce(r.rolname::text, ''),
       coalesce(d.datname::text, ''),
       pg_catalog.substr(one, pg_catalog.strpos(one, '=') + 1)
  FROM pg_catalog.pg_db_role_setting s
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) one
 WHERE pg_catalog.split_part(one, '=', 1) IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')
 ORDER BY 1, 2, 3`

	// queryConfiguredTimeouts reads what the server's files say: of each, the last
	// line that was taken. The observer's own session has timeouts of its own, so
	// pg_settings can't tell.
	queryConfiguredTimeouts = `
SELECT DISTINCT ON (name) name, '', '', setting
  FROM pg_catalog.pg_file_settings
 WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') AND error IS NULL
 ORDER BY name, seqno DESC`
)

// readTimeouts reads them, those of the server's files where that is permitted.
func readTimeouts(ctx context.Context, tx pgx.Tx, files bool) ([]TimeoutSetting, error) {
	queries := []string{queryTimeouts}
	if files {
		queries = append(queries, queryConfiguredTimeouts)
	}
	all := []TimeoutSetting{}
	for _, query := range queries {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		settings, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (TimeoutSetting, error) {
			var setting TimeoutSetting
			err := row.Scan(&setting.Timeout, &setting.Role, &setting.Database, &setting.Value)
			return setting, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, settings...)
	}
	return all, nil
}
