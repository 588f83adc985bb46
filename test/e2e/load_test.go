package e2e

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

const (
	// rateVariable overrides the calibration.
	rateVariable = "BLUEGREEN_RATE"
	// path is what the clients ask for: a read of the database.
	path = "/recommendations?user=anna"
	// keepAliveClients and freshClients are how many clients there are of each kind.
	keepAliveClients, freshClients = 10, 10
	// calibrations are how often it is tried what the machine bears.
	calibrations = 4
)

// bearable is the rate that all tests use, in requests per second.
var bearable struct {
	once sync.Once
	rate int
}

// rate is what two cores bear beside a cluster and all else that is tried on them:
// 100 or, where a healthy blue does not answer that in time, 50. More would tell no
// more of a release, and would tell of a busy machine. Where it does not bear the
// lowest, no test that sends load can say anything, and fails.
func rate(t *testing.T, url string, header http.Header) int {
	t.Helper()
	bearable.once.Do(func() {
		if given, err := strconv.Atoi(os.Getenv(rateVariable)); err == nil && given > 0 {
			bearable.rate = given
			return
		}
		// What else the machine is doing may pass.
		for range calibrations {
			for _, candidate := range []int{100, 50} {
				if bears(t, url, header, candidate) {
					bearable.rate = candidate
					return
				}
			}
			pause(t.Context(), 10*time.Second)
		}
	})
	if bearable.rate == 0 {
		t.Fatalf("a healthy blue does not bear 50 requests/s here; what is lost would say nothing of a release (%s overrides this)", rateVariable)
	}
	return bearable.rate
}

// bears tries a rate for three seconds' worth of requests.
func bears(t *testing.T, url string, header http.Header, rate int) bool {
	t.Helper()
	began := time.Now()
	run := startClients(t, clients.Options{URL: url, Header: header, Rate: rate, KeepAlive: keepAliveClients, Fresh: freshClients, MaxRequests: uint64(3 * rate), Strict: true})
	<-run.Done()
	counts, took := run.Stop(), time.Since(began)
	t.Logf("calibration: %d requests/s asked, %.0f/s answered, slowest %s, %d failed",
		rate, float64(counts.Requests)/took.Seconds(), counts.Slowest.Round(time.Millisecond), counts.Failed)
	return counts.Failed == 0 && took < 3500*time.Millisecond && counts.Slowest < time.Second
}

// startClients starts traffic that ends with the test at the latest.
func startClients(t *testing.T, options clients.Options) *clients.Run {
	t.Helper()
	run, err := clients.Start(context.WithoutCancel(t.Context()), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Stop() })
	return run
}

// production sends the constant load to production. Every answer
// but a 2xx counts as failed.
func (s *scenario) production(keepAlive, fresh int) *clients.Run {
	s.t.Helper()
	return s.productionWith(s.shop.Header(), keepAlive, fresh)
}

// productionWith sends it with a header of the clients' own.
func (s *scenario) productionWith(header http.Header, keepAlive, fresh int) *clients.Run {
	s.t.Helper()
	url := s.url()
	all := rate(s.t, url, s.shop.Header())
	share := all * (keepAlive + fresh) / (keepAliveClients + freshClients)
	s.t.Logf("load: %d keep-alive and %d fresh clients, %d requests/s", keepAlive, fresh, share)
	run := startClients(s.t, clients.Options{URL: url, Header: header, Rate: share, KeepAlive: keepAlive, Fresh: fresh, Timeout: 20 * time.Second, Strict: true})
	s.awaitRequests(run, 100)
	return run
}

// url of production, once it answers.
func (s *scenario) url() string {
	s.t.Helper()
	s.await("production answers", s.shop.AwaitAnswers)
	url, err := s.shop.URL(s.t.Context(), path)
	if err != nil {
		s.t.Fatal(err)
	}
	return url
}

// awaitRequests waits until so many more requests were sent, and returns what
// was counted meanwhile.
func (s *scenario) awaitRequests(run *clients.Run, requests int) clients.Counts {
	s.t.Helper()
	before := run.Counts()
	guard := time.NewTimer(2 * time.Minute)
	defer guard.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if counts := run.Counts().Since(before); counts.Requests >= requests {
			return counts
		}
		select {
		case <-guard.C:
			s.t.Fatalf("the clients sent %d of %d requests in 2 minutes", run.Counts().Since(before).Requests, requests)
		case <-look.C:
		}
	}
}

// onlyVersion fails the test unless every answer from now on is one version's.
// What was on its way is let in first.
func (s *scenario) onlyVersion(run *clients.Run, version string) {
	s.t.Helper()
	s.awaitRequests(run, 50)
	counts := s.awaitRequests(run, 300)
	if len(counts.ByVersion) != 1 || counts.ByVersion[version] == 0 {
		s.t.Errorf("%d answers are by version %v, want %s only", counts.Requests, counts.ByVersion, version)
	}
}

// lostNothingToKills fails the test for every request that a killed process
// could have cost (crash.Lost). A single new connection that was refused is
// told. Runs without a kill are held to zero by lostNothing.
func (s *scenario) lostNothingToKills(what string, counts clients.Counts) {
	s.t.Helper()
	if crash.OneRefused(counts) {
		s.t.Logf("%s: %d requests, one new connection refused: %+v", what, counts.Requests, counts.Failures[0])
		return
	}
	s.lostNothing(what, counts)
}

// lostNothing fails the test if a request failed.
func (s *scenario) lostNothing(what string, counts clients.Counts) {
	s.t.Helper()
	s.t.Logf("%s: %d requests (%d keep-alive over %d connections, %d fresh), %d failed, by version %v, slowest %s",
		what, counts.Requests, counts.KeepAlive.Requests, counts.KeepAlive.Connections, counts.Fresh.Requests,
		counts.Failed, counts.ByVersion, counts.Slowest.Round(time.Millisecond))
	if counts.Failed != 0 {
		s.t.Errorf("%s lost %d requests, the first: %+v", what, counts.Failed, counts.Failures[0])
	}
}
