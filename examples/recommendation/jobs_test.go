package main

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// Two versions take from one queue, one of them fails jobs, and one is told to end
// in the midst: every job is done, and once.
func TestEveryJobIsDoneOnce(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	takers := map[string]string{"JOB_TAKERS": "4", "JOB_TIME": "2ms"}
	blue := startService(t, dsn, "blue", takers)
	green := startService(t, dsn, "green", takers)
	green.setFaults(t, `{"errorRate": 0.2}`)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const put = 600
	if _, err := conn.Exec(t.Context(), "INSERT INTO jobs SELECT FROM generate_series(1, $1)", put); err != nil {
		t.Fatal(err)
	}
	count := func(query string) (found int) {
		if err := conn.QueryRow(t.Context(), query).Scan(&found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	await(t, green.logs, func() bool { return count("SELECT count(*) FROM jobs_done WHERE color = 'green'") > 20 })
	failed, err := strconv.Atoi(green.metric(t, `http_requests_total{code="500",color="green",method="job",version="v2.5.0"}`))
	if err != nil || failed == 0 {
		t.Errorf("green counts %d jobs that failed, %v", failed, err)
	}
	green.stop()
	await(t, blue.logs, func() bool { return count("SELECT count(*) FROM jobs") == 0 })
	done, jobs := count("SELECT count(*) FROM jobs_done"), count("SELECT count(DISTINCT job) FROM jobs_done")
	if done != put || jobs != put {
		t.Errorf("%d jobs were done %d times, want %d and once each", jobs, done, put)
	}
}
