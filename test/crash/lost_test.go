package crash

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// One refused new connection is forgiven a case, and nothing else.
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

// A suite forgives one case in 20, and one at the least; what is more is listed.
func TestRefusalsAreFew(t *testing.T) {
	for _, tt := range []struct{ cases, refused, permitted int }{
		{0, 0, 1}, {1, 1, 1}, {2, 2, 1}, {19, 1, 1}, {19, 2, 1}, {39, 1, 1}, {39, 2, 1}, {40, 2, 2}, {40, 3, 2}, {300, 15, 15}, {300, 16, 15},
	} {
		counted := Refusals{}
		for number := range tt.cases {
			counted.Add(fmt.Sprintf("case %d", number+1), number < tt.refused)
		}
		err := counted.Err()
		if counted.Cases != tt.cases || counted.Permitted() != tt.permitted || (err != nil) != (tt.refused > tt.permitted) {
			t.Errorf("%d refused in %d cases: %d permitted, %v", tt.refused, counted.Cases, counted.Permitted(), err)
		}
		for number := range tt.refused {
			if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("case %d", number+1)) {
				t.Errorf("%d refused in %d cases: case %d is not in %v", tt.refused, tt.cases, number+1, err)
			}
		}
	}
}

// The parts of a suite are bounded together.
func TestRefusalsAreMerged(t *testing.T) {
	whole := Refusals{}
	for _, part := range []string{"service", "httproute"} {
		counted := Refusals{}
		counted.Add(part+": a", true)
		counted.Add(part+": b", false)
		if err := counted.Err(); err != nil {
			t.Errorf("one of a part: %v", err)
		}
		whole.Merge(counted)
	}
	if difference := cmp.Diff(Refusals{Cases: 4, Refused: []string{"service: a", "httproute: a"}}, whole); difference != "" || whole.Err() == nil {
		t.Errorf("err = %v, merged (-want +got):\n%s", whole.Err(), difference)
	}
}
