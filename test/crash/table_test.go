package crash

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// A table tells every kill with what became of it, a failure above all.
func TestTable(t *testing.T) {
	begin, prove := Point{Kind: Begin}, Point{Kind: Transition, What: "switch → prove"}
	chain := Case{Steps: []Step{killed(shift, begin, After), killed(resume, prove, After), undisturbed(resume)}}
	back := Case{Steps: []Step{killed(shift, prove, Before), killed(rollback, begin, After), undisturbed(rollback)}}
	got := Table([]Outcome{{Case: chain}, {Case: back, Err: errors.New("lost")}, {Case: chain}})
	want := `| Run | Killed at | before it lands, then rollback | after it lands, then resume | after it lands, then rollback |
|---|---|---|---|---|
| shift | begin | – | converged | – |
| shift | transition switch → prove | FAILED | converged | – |
| rollback | begin | – | – | FAILED |
`
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

// One refused new connection is told and forgiven, and nothing else.
func TestLost(t *testing.T) {
	refused := clients.Failure{Client: clients.Fresh, Kind: clients.Transport, Detail: "dial tcp 10.96.0.7:80: connect: connection refused"}
	status := clients.Failure{Client: clients.Fresh, Kind: clients.Status, Detail: "503 Service Unavailable"}
	reset := clients.Failure{Client: clients.KeepAlive, Kind: clients.Transport, Detail: "connection refused"}
	counts := func(failures ...clients.Failure) clients.Counts {
		found := clients.Counts{Tally: clients.Tally{Requests: 100, Failed: len(failures)}, Failures: failures}
		for _, failure := range failures {
			if failure.Client == clients.Fresh {
				found.Fresh.Failed++
			} else {
				found.KeepAlive.Failed++
			}
		}
		return found
	}
	for name, test := range map[string]struct {
		counts clients.Counts
		lost   bool
	}{
		"none": {counts(), false}, "one refused": {counts(refused), false}, "two refused": {counts(refused, refused), true},
		"a bad answer": {counts(status), true}, "a kept connection": {counts(reset), true},
	} {
		if err := Lost(test.counts); (err != nil) != test.lost {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Lost(clients.Counts{Tally: clients.Tally{Failed: 3}}); err == nil {
		t.Error("failures beyond those that are kept are forgiven")
	}
}
