package planted

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// inDatabase are faults of the database and of the way to it.
func inDatabase() []Fault {
	return []Fault{
		{ID: "BG-DB-01", Name: "nothing answers where the database should be", Outcome: preflight.Unknown, Says: "connection refused",
			Also:  []string{"BG-DB-02", "BG-DB-03", "BG-DB-04", "BG-DB-05", "BG-DB-06", "BG-DB-07", "BG-DB-09"},
			Plant: observedBy(func(*Site) string { return "postgres://monitor:none@postgres.database:5433/postgres?sslmode=disable" })},
		{ID: "BG-DB-02", Name: "an observer that may not see others' sessions", Outcome: preflight.Fail, Says: "can't see others' sessions",
			Also:  []string{"BG-DB-03", "BG-DB-05", "BG-DB-06", "BG-DB-07"},
			Plant: observedBy(func(site *Site) string { return site.OwnURL() })},
		{ID: "BG-DB-03", Name: "a CronJob that takes what the colours leave", Outcome: preflight.Fail, Says: "connections are asked for at the peak",
			Plant: applied(greedyCronJob)},
		{ID: "BG-DB-03", Name: "a CronJob of which nobody says what it opens", Outcome: preflight.Warn, Says: "cronjob/planted uses the database too",
			Plant: applied(silentCronJob)},
		{ID: "BG-DB-04", Name: "a max_connections that waits for a restart", Outcome: preflight.Warn, Says: "waits for a restart",
			Plant: executed(
				[]string{"ALTER SYSTEM SET max_connections = 300", "SELECT pg_reload_conf()"},
				[]string{"ALTER SYSTEM RESET max_connections", "SELECT pg_reload_conf()"})},
		{ID: "BG-DB-05", Name: "a role that has nearly no connection left", Outcome: preflight.Fail, Says: "of its connections are in use, more than 80 %",
			Also: []string{"BG-DB-03"}, Plant: fullRole},
		{ID: "BG-DB-06", Name: "a transaction left open for more than a minute", Outcome: preflight.Warn, Says: "has been idle in a transaction for",
			Ripens: time.Minute, Plant: openTransaction},
		{ID: "BG-DB-07", Name: "a session that waits for a lock", Outcome: preflight.Warn, Says: "1 sessions wait for locks",
			Plant: heldLock},
		{ID: "BG-DB-09", Name: "a role that may wait for a lock for ever", Outcome: preflight.Warn, Says: "sets lock_timeout",
			Plant: endlessLocks},
		{ID: "BG-DB-10", Name: "more agreed on than the database has", Outcome: preflight.Warn, Says: "connections allows 1000, and the database leaves both colours",
			Plant: agreed(1000)},
	}
}

// The CronJobs are never due, so that nothing runs.
const greedyCronJob = `apiVersion: batch/v1
kind: CronJob
metadata: {name: planted}
spec:
  schedule: "0 0 31 2 *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      parallelism: 20
      template:
        metadata: {annotations: {bluegreen.dev/pool-size: "50"}}
        spec:
          restartPolicy: Never
          containers:
            - {name: report, image: planted, env: [{name: DATABASE_URL, valueFrom: {secretKeyRef: {name: recommendation-database, key: url}}}]}
`

const silentCronJob = `apiVersion: batch/v1
kind: CronJob
metadata: {name: planted}
spec:
  schedule: "0 0 31 2 *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {name: report, image: planted, env: [{name: DATABASE_URL, valueFrom: {secretKeyRef: {name: recommendation-database, key: url}}}]}
`

// observedBy lets check look at the database by another connection string.
func observedBy(url func(*Site) string) Plant {
	return func(ctx context.Context, site *Site) (Undo, error) {
		was, err := site.MonitorURL(ctx)
		if err != nil {
			return nil, err
		}
		use := func(ctx context.Context, url string) error {
			return site.Kubectl(ctx, "patch", "secret", shop.MonitorSecret, "--type=merge", "-p", fmt.Sprintf(`{"stringData":{"url":%q}}`, url))
		}
		return func(ctx context.Context) error { return use(ctx, was) }, use(ctx, url(site))
	}
}

// executed executes statements as a superuser, and others to undo them.
func executed(there, back []string) Plant {
	return func(ctx context.Context, site *Site) (Undo, error) {
		undo := func(ctx context.Context) error { return site.AsSuperuser(ctx, back...) }
		return undo, site.AsSuperuser(ctx, there...)
	}
}

// fullRole gives the shop's role one connection more than it has.
func fullRole(ctx context.Context, site *Site) (Undo, error) {
	sessions, err := site.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	limit := func(limit int) string { return fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT %d", site.Role(), limit) }
	return executed([]string{limit(sessions.Own + 1)}, []string{limit(-1)})(ctx, site)
}

// endlessLocks takes the bound for locks from the shop's role.
func endlessLocks(ctx context.Context, site *Site) (Undo, error) {
	role := "ALTER ROLE " + site.Role()
	return executed([]string{role + " SET lock_timeout = 0"}, []string{role + " SET lock_timeout = '10min'"})(ctx, site)
}

// openTransaction leaves one open. Check sees it once it is a minute old.
func openTransaction(ctx context.Context, site *Site) (Undo, error) {
	conn, err := site.Dial(ctx)
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "BEGIN")
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT txid_current()")
	}
	return conn.Close, err
}

// heldLock lets one session wait for what another one holds.
func heldLock(ctx context.Context, site *Site) (Undo, error) {
	const lock = "SELECT pg_advisory_lock(7)"
	holder, err := site.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := holder.Exec(ctx, lock); err != nil {
		return holder.Close, err
	}
	waiter, err := site.Dial(ctx)
	if err != nil {
		return holder.Close, err
	}
	waited := make(chan error, 1)
	go func() {
		_, err := waiter.Exec(context.WithoutCancel(ctx), lock)
		waited <- err
	}()
	return func(ctx context.Context) error {
		err := holder.Close(ctx) // which lets the other one have it
		return errors.Join(err, <-waited, waiter.Close(ctx))
	}, nil
}
