package e2e

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The process is killed at every transition of its record, under load, and
// what it leaves behind is resumed, or rolled back, without a hand edit: one
// colour serves, the record is finished with nothing open, no write came
// without an intent, the route never selected nothing, and nobody lost a
// request. Every kill is of a process of its own; the parts run side by side,
// for most of their time is spent waiting for leases.
func TestKilledAtEveryTransition(t *testing.T) {
	for _, driver := range crash.Drivers() {
		t.Run(driver.Name, func(t *testing.T) {
			t.Run("resumed", func(t *testing.T) {
				t.Parallel()
				suite := openSuite(t, driver, release.DrainAuto)
				orderly(t, suite)
				try(t, suite, crash.Chains())
			})
			t.Run("rolledback", func(t *testing.T) {
				t.Parallel()
				try(t, openSuite(t, driver, release.DrainNone), crash.Reversals())
			})
		})
	}
}

// openSuite opens a shop whose runs are short, and puts load on it.
func openSuite(t *testing.T, driver crash.Driver, drain release.Drain) *crash.Suite {
	t.Helper()
	s := open(t, shop.Options{Release: crash.Quick(driver, drain)})
	suite, err := crash.Open(t.Context(), crash.Setting{
		Driver: driver, Shop: s.shop, Place: place(t), Load: s.production(keepAliveClients/2, freshClients/2), Logf: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(suite.Close)
	return suite
}

// orderly runs a shift and a rollback without a kill, and fails the test unless
// their writes come in the order in which they protect the run.
func orderly(t *testing.T, suite *crash.Suite) {
	t.Helper()
	forward, backward, err := suite.Learn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a shift writes %v\na rollback writes %v", forward, backward)
	if err := crash.Orderly(forward, crash.Forward()); err != nil {
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
