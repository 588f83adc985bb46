package plugin

import (
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// TestStatusIsWatchedThroughAnOutage: a watch goes on while the API server does
// not answer, and says so once each time. Before it has seen anything, and at
// a refusal, it ends.
func TestStatusIsWatchedThroughAnOutage(t *testing.T) {
	lost := apierrors.NewInternalError(errors.New("out of order"))
	refused := apierrors.NewUnauthorized("who are you?")
	tests := map[string]struct {
		answers []error // of the route, look by look
		told    int
		cards   int
	}{
		"two outages":             {[]error{nil, lost, lost, lost, nil, lost, refused}, 2, 1},
		"a refusal in an outage":  {[]error{nil, lost, refused}, 1, 1},
		"nothing was seen before": {[]error{lost}, 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			call, out, errOut, clock := bench(t, nil)
			server := shop(t, call)
			begun(t, server, rollout.Watch)
			opened, err := call.reach(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			looks := 0
			server.PrependReactor("get", "services", func(kubetesting.Action) (bool, runtime.Object, error) {
				answer := test.answers[looks]
				looks++
				clock.Step(statusInterval) // the next look is due at once
				return answer != nil, nil, answer
			})
			err = call.watchStatus(t.Context(), &output{}, opened)
			if want := test.answers[len(test.answers)-1]; !errors.Is(err, want) || looks != len(test.answers) {
				t.Errorf("ended with %v after %d looks, expected %v after %d", err, looks, want, len(test.answers))
			}
			if told := strings.Count(errOut.String(), "out of order; asking on\n"); told != test.told {
				t.Errorf("told %d times, expected %d:\n%s", told, test.told, errOut)
			}
			if cards := strings.Count(out.String(), "phase "); cards != test.cards {
				t.Errorf("%d cards, expected %d:\n%s", cards, test.cards, out)
			}
		})
	}
}

// TestStatusConcludesNothingByAnotherClock: a lease that looks old is watched, and
// only one that stands still meanwhile is nobody's.
func TestStatusConcludesNothingByAnotherClock(t *testing.T) {
	const silent = "(silent: nobody drives the run)"
	for name, test := range map[string]struct {
		prepare func(*testing.T, *fake.Clientset)
		later   time.Duration
		silent  bool
		watches bool
	}{
		"renewed just now":          {func(*testing.T, *fake.Clientset) {}, 0, false, false},
		"gone":                      {func(*testing.T, *fake.Clientset) {}, time.Hour, true, true},
		"gone, by a clock ahead":    {func(*testing.T, *fake.Clientset) {}, -time.Hour, true, true},
		"alive, by a clock behind":  {renewing, time.Hour, false, true},
		"alive, by a clock ahead":   {renewing, -time.Hour, false, true},
		"it has ended in the watch": {obeying, time.Hour, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			call, out, errOut, clock := bench(t, nil)
			server := shop(t, call)
			begun(t, server, rollout.Watch)
			test.prepare(t, server)
			clock.Step(test.later)
			passes(t, clock, time.Second)
			if err := call.status(t.Context(), &output{}, nil, false); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(out.String(), silent); got != test.silent {
				t.Errorf("it is silent: %v, want %v:\n%s", got, test.silent, out)
			}
			if got := strings.Contains(errOut.String(), "by its holder's clock"); got != test.watches {
				t.Errorf("it watches: %v, want %v:\n%s", got, test.watches, errOut)
			}
		})
	}
}

// TestStatusTellsTrouble: what keeps a run that goes on is on its card.
func TestStatusTellsTrouble(t *testing.T) {
	const trouble = "pods of deployment/shop-green do not get going: container app: its image shop:v2 can't be pulled"
	call, out, _, _ := bench(t, nil)
	begunIn(t, shop(t, call), rollout.State{Phase: rollout.WaitReady, From: "blue", To: "green", Trouble: trouble})
	if err := call.status(t.Context(), &output{}, nil, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\ntrouble    "+trouble+"\n") {
		t.Errorf("the trouble is not told:\n%s", out)
	}
}
