package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestTheObserversSessionCanNeitherWriteNorWait(t *testing.T) {
	target, err := NewTarget("main", postgrestest.Start(t, nil)+"&pool_max_conns=7", release.ViaDirect, nil)
	if err != nil {
		t.Fatal(err)
	}
	observer, err := Connect(t.Context(), target, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = observer.Close() })
	if _, err := observer.conn.Exec(t.Context(), "CREATE TABLE written (id int)"); SQLState(err) != "25006" {
		t.Errorf("a write ended with %v, want SQLSTATE 25006 (read-only transaction)", err)
	}
	got := map[string]string{}
	for _, name := range []string{"application_name", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		var value string
		if err := observer.conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		got[name] = value
	}
	want := map[string]string{"application_name": "bluegreen", "statement_timeout": "5s", "lock_timeout": "1s", "idle_in_transaction_session_timeout": "10s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings of the session (-want +got):\n%s", diff)
	}
}
