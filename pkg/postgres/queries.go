package postgres

// The statements of a snapshot. Each names its catalogue in full, so that a
// search_path can't redirect it, and reads only what every supported version
// (12 and later) has.
const (
	// queryServer reads what the server is and what it allows.
	// reserved_connections exists from 16 on: a missing one reads as NULL.
	// Whether others' sessions are visible is asked of the role and not
	// guessed from the rows: an empty server would look fully visible.
	queryServer = `
SELECT pg_catalog.current_setting('server_version_num')::int,
       pg_catalog.current_setting('server_version'),
       pg_catalog.current_database(),
       current_user::text,
       pg_catalog.pg_backend_pid(),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('max_connections')::int,
       pg_catalog.current_setting('superuser_reserved_connections')::int,
       coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), '')::int, 0),
       (SELECT pending_restart FROM pg_catalog.pg_settings WHERE name = 'max_connections'),
       pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
       pg_catalog.has_function_privilege(current_user, 'pg_catalog.pg_show_all_file_settings()', 'EXECUTE')`

	// queryConfigured reads what max_connections will be after a restart:
	// the last line of the files that sets it wins. Only superusers and
	// roles that were granted the function may ask.
	queryConfigured = `
SELECT coalesce((SELECT setting::int FROM pg_catalog.pg_file_settings
                  WHERE name = 'max_connections' AND setting ~ '^[0-9]+$'
                  ORDER BY seqno DESC LIMIT 1), 0)`

	// queryDatabases reads each database's own limit (-1 is none) and its
	// backends; numbackends is right even for a role that can't see others'
	// sessions.
	queryDatabases = `
SELECT d.datname::text, d.datconnlimit, coalesce(s.numbackends, 0)
  FROM pg_catalog.pg_database d
  LEFT JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
 WHERE d.datallowconn
 ORDER BY d.datname`

	// queryRoles reads the roles that may log in, with their limits: a role
	// with none is -1. Superusers pass every limit but the cluster's.
	queryRoles = `
SELECT rolname::text, rolconnlimit, rolsuper
  FROM pg_catalog.pg_roles
 WHERE rolcanlogin
 ORDER BY rolname`

	// querySessions reads every session. Rows that the role may not see
	// carry the marker text in place of their query. pg_blocking_pids looks
	// through the shared lock table, so it is asked for waiters only.
	querySessions = `
SELECT pid,
       coalesce(datname::text, ''),
       coalesce(usename::text, ''),
       coalesce(application_name, ''),
       coalesce(pg_catalog.host(client_addr), ''),
       coalesce(state, ''),
       coalesce(backend_type, ''),
       coalesce(wait_event_type, ''),
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - xact_start), 0)::float8,
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - state_change), 0)::float8,
       CASE WHEN wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(pid) ELSE '{}'::int[] END,
       coalesce(query, '') = '<insufficient privilege>'
  FROM pg_catalog.pg_stat_activity
 ORDER BY pid`
)
