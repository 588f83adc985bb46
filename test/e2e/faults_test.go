package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/faults"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// faultsVariable is a regular expression for the names of the cases to run
// instead, as TestFaults shows them, out of every fault in every phase.
const faultsVariable = "BLUEGREEN_FAULTS"

// faultsAtOnce is how many shops there are at once.
const faultsAtOnce = 4

// What a run depends on fails in mid-watch, the API server at the switch too, and
// what is measured with before anything is moved and on the way back; and the run
// ends as docs/faults.md says. The dependencies run side by side, for most of the
// time is spent waiting; what harms everybody comes last and alone.
func TestFaults(t *testing.T) {
	rows, err := faults.ReadTable(filepath.Join(place(t).Source, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := faults.Check(rows); err != nil {
		t.Fatal(err)
	}
	cases := faults.Once(rows)
	if wanted, chosen := os.LookupEnv(faultsVariable); chosen {
		pattern := regexp.MustCompile(wanted)
		cases = slices.DeleteFunc(faults.Matrix(rows), func(found faults.Case) bool { return !pattern.MatchString(found.Name()) })
	}
	whole := &refusals{}
	t.Cleanup(func() { whole.few(t) })
	var running errgroup.Group
	running.SetLimit(faultsAtOnce)
	for _, group := range faults.Groups(cases) {
		running.Go(func() error {
			t.Run(group.Name, func(t *testing.T) { tryFaults(t, group.Dependency, group.Cases, whole) })
			return nil
		})
	}
	_ = running.Wait() // what goes wrong is told by the tests
	if everybody := faults.Everybody(cases); len(everybody) > 0 {
		t.Run("everybody", func(t *testing.T) { tryFaults(t, faults.APIServer, everybody, whole) })
	}
}

// tryFaults carries out cases on a shop of their own. In few of the whole one new
// connection may be refused.
func tryFaults(t *testing.T, dependency faults.Dependency, cases []faults.Case, whole *refusals) {
	t.Helper()
	s := open(t, shop.Options{GreenByHand: true, Release: faults.Quick, Env: faults.Environment()})
	load := startClients(t, clients.Options{URL: s.url(), Rate: faults.Rate, KeepAlive: 2, Fresh: 2, Timeout: hang, Strict: true})
	s.awaitRequests(load, 20)
	suite, err := faults.Open(t.Context(), dependency, faults.Setting{
		Shop: s.shop, Place: place(t), Lab: lab.Current(t), Load: load, Logf: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(suite.Close)
	for _, found := range cases {
		outcome := suite.Try(t.Context(), found)
		if outcome.Err != nil {
			t.Error(outcome.Err)
		}
		whole.add(found.Name(), outcome.Refused)
	}
}
