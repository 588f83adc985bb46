package e2e

import (
	"fmt"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The process is killed at every transition of its record, under load, and
// what it leaves behind is resumed, or rolled back, without a hand edit: one
// colour serves, the record is finished with nothing open, no write came
// without an intent, the route never selected nothing, and nobody lost a
// request; of all cases together few may have one new connection refused. Every
// kill is of a process of its own; the parts of both kinds of routes run side by
// side, for most of their time is spent waiting for leases.
func TestKilledAtEveryTransition(t *testing.T) {
	whole := &refusals{}
	t.Cleanup(func() { whole.few(t) }) // when all parts have ended
	for _, driver := range crash.EndToEnd() {
		t.Run(driver.Name, func(t *testing.T) {
			t.Parallel()
			t.Run("resumed", func(t *testing.T) {
				t.Parallel()
				suite := openSuite(t, driver, release.DrainAuto, whole)
				orderly(t, suite, driver)
				try(t, suite, driver.Chains())
			})
			for half := range 2 {
				t.Run(fmt.Sprintf("rolledback%d", half+1), func(t *testing.T) {
					t.Parallel()
					try(t, openSuite(t, driver, release.DrainNone, whole), everyOther(driver.Reversals(), half))
				})
			}
		})
	}
}

// everyOther is half of the cases, from the first on: the later in a run it is
// killed, the longer a case takes.
func everyOther(cases []crash.Case, first int) []crash.Case {
	var half []crash.Case
	for i := first; i < len(cases); i += 2 {
		half = append(half, cases[i])
	}
	return half
}

// openSuite opens a shop whose runs are short, and puts load on it. What it will
// have counted is part of the whole.
func openSuite(t *testing.T, driver crash.Driver, drain release.Drain, whole *refusals) *crash.Suite {
	t.Helper()
	// All the shops share what PostgreSQL has, of which a preflight wants a fifth left.
	pools := map[string]string{"DB_POOL_SIZE": "2"}
	s := open(t, shop.Options{Route: driver.Route, Release: driver.Quick(drain), Env: pools})
	suite, err := crash.Open(t.Context(), crash.Setting{
		Driver: driver, Shop: s.shop, Place: place(t), Load: s.production(keepAliveClients/2, driver.Fresh(freshClients/2)), Logf: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(suite.Close)
	t.Cleanup(func() { whole.merge(suite) })
	return suite
}

// orderly runs a shift and a rollback without a kill, and fails the test unless
// their writes come in the order in which they protect the run.
func orderly(t *testing.T, suite *crash.Suite, driver crash.Driver) {
	t.Helper()
	forward, backward, err := suite.Learn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a shift writes %v\na rollback writes %v", forward, backward)
	if err := crash.Orderly(forward, driver.Forward()); err != nil {
		t.Errorf("shift: %v", err)
	}
	if err := crash.Orderly(backward, crash.Backward()); err != nil {
		t.Errorf("rollback: %v", err)
	}
}

// try carries out cases and shows what came of every kill.
func try(t *testing.T, suite *crash.Suite, cases []crash.Case) {
	t.Helper()
	var outcomes []crash.Outcome
	for _, found := range cases {
		outcome := suite.Try(t.Context(), found)
		if outcome.Err != nil {
			t.Error(outcome.Err)
		}
		outcomes = append(outcomes, outcome)
	}
	t.Logf("what came of every kill:\n%s", crash.Table(outcomes))
}
