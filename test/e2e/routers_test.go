package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Every kind of route whose proxy the lab has moves live traffic as an
// HTTPRoute does: a bad green goes back from the half, a good one gets
// everything, and a rollback gives it back.
func TestTraefikService(t *testing.T) { movesByWeights(t, shop.TraefikService) }
func TestIngressRoute(t *testing.T)   { movesByWeights(t, shop.IngressRoute) }
func TestCustomRoute(t *testing.T)    { movesByWeights(t, shop.Custom, "--accept-unproven-router") }
func TestRouteGroup(t *testing.T)     { movesByWeights(t, shop.RouteGroup) }
func TestSkipperIngress(t *testing.T) { movesByWeights(t, shop.SkipperIngress) }

func movesByWeights(t *testing.T, route shop.Route, flags ...string) {
	t.Helper()
	s := open(t, shop.Options{Route: route, Green: faulty()})
	s.movesOnceGood(s.production(keepAliveClients, freshClients), flags...)
}

// movesOnceGood moves a shop whose green is [faulty], and then is no more.
func (s *scenario) movesOnceGood(run *clients.Run, flags ...string) {
	s.t.Helper()
	s.fallsBackFromTheHalf(run, flags...)
	if err := s.shop.WriteSlot(shop.Green, shop.Slot{}); err != nil {
		s.t.Fatal(err)
	}
	s.movesAndReturns(run, flags...)
}

// A cookie ties every client to blue. Of a kind that says so itself the preflight
// blocks it; of one that the Release describes nobody can know, until green does
// not get what its weight says. It holds there, and ends well once nobody is
// tied any more.
func TestTiedClientsHold(t *testing.T) {
	s := open(t, shop.Options{Route: shop.Custom, Release: shortOfPatience})
	s.byHand("patch", "traefikservice", "production", "--type=merge", "-p", `{"spec":{"weighted":{"sticky":{"cookie":{"name":"side"}}}}}`)
	header := s.shop.Header()
	header.Set("Cookie", s.cookie("side"))
	run := s.productionWith(header, keepAliveClients, freshClients)
	s.holdsWithoutRequests(run, "--accept-unproven-router")

	before := run.Counts()
	s.byHand("patch", "traefikservice", "production", "--type=json", "-p", `[{"op":"remove","path":"/spec/weighted/sticky"}]`)
	s.resumes(rollout.Done, shop.Green)
	s.onlyVersion(run, greenVersion)
	s.lostNothing("tied no more, and resumed", run.Counts().Since(before))
}

// cookie is what production gives a client to come back with, once it does.
func (s *scenario) cookie(name string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	url := s.url()
	for ctx.Err() == nil {
		if given := s.given(ctx, url, name); given != "" {
			return given
		}
		pause(ctx, 200*time.Millisecond)
	}
	s.t.Fatalf("production gives no cookie %s", name)
	return ""
}

// given is the cookie of one answer, "" when that came without.
func (s *scenario) given(ctx context.Context, url, name string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Host = s.shop.Header().Get("Host")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	for _, cookie := range response.Cookies() {
		if cookie.Name == name {
			return cookie.Name + "=" + cookie.Value
		}
	}
	return ""
}
