package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// testers are who asks for green before anybody else: what they send, and what
// it is matched by.
type testers struct {
	header, value string
	match         release.Match
}

// byHeader are those who send a header of their own.
func byHeader() testers {
	match := release.Match{Header: &release.NamedValue{Name: "X-Preview", Value: "green"}}
	return testers{header: "X-Preview", value: "green", match: match}
}

// byCookie are those who have a cookie among others.
func byCookie() testers {
	match := release.Match{Cookie: &release.NamedValue{Name: "preview", Value: "green"}}
	return testers{header: "Cookie", value: "session=1; preview=green", match: match}
}

// testerClients are how many testers there are of each kind.
const testerClients = 2

// first puts a preview for them before the weights of a release.
func (t testers) first(document *release.Release) {
	preview := release.Step{Match: &t.match, Hold: release.Duration(30 * time.Second)}
	document.Spec.Traffic.Steps = append([]release.Step{preview}, document.Spec.Traffic.Steps...)
}

// Who asks for green reaches it by the production route, every time, before
// anybody else does: nobody who does not ask is led there. Then it goes on by half
// to all, and what was added to the route is gone. So does every kind of route
// that can be previewed, by whatever it can be.
func TestPreviewBeforeAnybodyElse(t *testing.T) {
	previewed(t, shop.HTTPRoute, byHeader(), freshClients)
}
func TestPreviewOfGRPCRoute(t *testing.T) { previewed(t, shop.GRPCRoute, byHeader(), freshCallers) }
func TestVirtualServicePreview(t *testing.T) {
	previewed(t, shop.VirtualService, byHeader(), freshCallers)
}
func TestVirtualServicePreviewByCookie(t *testing.T) {
	previewed(t, shop.VirtualServiceSubsets, byCookie(), freshCallers)
}

func previewed(t *testing.T, route shop.Route, who testers, fresh int) {
	t.Helper()
	s := open(t, shop.Options{Route: route, Release: who.first})
	rules := s.rules()
	everybody, asking := s.production(keepAliveClients, fresh), s.testing(who)
	before, tested := everybody.Counts(), asking.Counts()
	process := s.start("shift", "-o", "json")
	s.previews(process, who, everybody, asking)

	s.shares(greenVersion, s.during(process, everybody, 50), 0.5)
	result := s.ended(process, rollout.CodeDone)
	status := s.status(result)
	says(t, result.Stderr, "blue keeps its requests beside the preview of green")
	if writes := intents(status, "switch"); len(writes) != 3 {
		t.Errorf("the route was written %d times, want the preview, the half and everything", len(writes))
	}
	s.onlyVersion(everybody, greenVersion)
	s.onlyVersion(asking, greenVersion)
	s.lostNothing("everybody, from the preview to all of green", everybody.Counts().Since(before))
	s.lostNothing("testers, from the preview to all of green", asking.Counts().Since(tested))
	s.serves(shop.Green)
	s.withoutPreview(rules)
}

// A rollback out of a preview takes away what was added, and nothing else.
func TestPreviewRollsBack(t *testing.T) {
	who := byHeader()
	s := open(t, shop.Options{Route: shop.HTTPRoute, Release: who.first})
	rules := s.rules()
	everybody, asking := s.production(keepAliveClients, freshClients), s.testing(who)
	before := everybody.Counts()
	process := s.start("shift", "-o", "json")
	s.previews(process, who, everybody, asking)

	status := s.status(s.run(rollout.CodeDone, "rollback", "-o", "json"))
	if status.Phase != rollout.RolledBack {
		t.Errorf("phase %s, want %s", status.Phase, rollout.RolledBack)
	}
	s.ended(process, rollout.CodeRolledBack)
	s.onlyVersion(asking, blueVersion)
	if counts := everybody.Counts().Since(before); counts.ByVersion[greenVersion] != 0 {
		t.Errorf("green answered %d requests of those who did not ask for it", counts.ByVersion[greenVersion])
	}
	s.lostNothing("everybody, beside a preview and its rollback", everybody.Counts().Since(before))
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.withoutPreview(rules)
}

// A process that is killed in a preview leaves it there; the next one goes on with
// it, once, and it is gone in the end.
func TestPreviewSurvivesAKill(t *testing.T) {
	who := byHeader()
	s := open(t, shop.Options{Route: shop.HTTPRoute, Release: who.first})
	rules := s.rules()
	everybody, asking := s.production(keepAliveClients, freshClients), s.testing(who)
	before := everybody.Counts()
	process := s.start("shift")
	s.previews(process, who, everybody, asking)
	if err := process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-process.Done()
	s.awaitSilence()
	s.onlyVersion(asking, greenVersion)
	s.onlyVersion(everybody, blueVersion)
	if found := s.rules(); len(found) != len(rules)+1 {
		t.Errorf("the route has %d rules, want one more than %d", len(found), len(rules))
	}
	s.resumes(rollout.Done, shop.Green)
	s.onlyVersion(everybody, greenVersion)
	s.lostNothingToKills("everybody, beside a preview whose process was killed", everybody.Counts().Since(before))
	s.withoutPreview(rules)
}

// testing has testers ask production for the preview.
func (s *scenario) testing(who testers) *clients.Run {
	s.t.Helper()
	header := maps.Clone(s.shop.Header())
	header.Set(who.header, who.value)
	run := s.productionWith(header, testerClients, testerClients)
	s.onlyVersionOf(run, blueVersion, 20)
	return run
}

// previews waits for the first answer of green to a tester, and fails the test
// unless from then on it answers all of them, and nobody else, while the route has
// the preview.
func (s *scenario) previews(process *shop.Process, who testers, everybody, asking *clients.Run) {
	s.t.Helper()
	begun := everybody.Counts()
	s.eventually("green answers a tester", func() bool {
		select {
		case <-process.Done():
			s.t.Fatalf("the run ended before green had answered a tester:\n%s", process.Stderr())
		default:
		}
		return asking.Counts().ByVersion[greenVersion] > 0
	})
	if answered := s.onlyVersionOf(asking, greenVersion, 50); answered == 0 {
		s.t.Error("green answered no tester")
	}
	status := s.now()
	says(s.t, status.Live, "blue=100, and green to requests with "+who.match.String())
	if status.Phase.Terminal() || status.Phase == rollout.Watch {
		s.t.Errorf("phase %s", status.Phase)
	}
	counts := everybody.Counts().Since(begun)
	s.t.Logf("beside the preview: %d requests of everybody else, by version %v", counts.Requests, counts.ByVersion)
	if counts.Requests < 100 || counts.ByVersion[greenVersion] != 0 {
		s.t.Errorf("green answered %d of %d requests of those who did not ask for it", counts.ByVersion[greenVersion], counts.Requests)
	}
}

// onlyVersionOf fails the test unless so many answers from now on are one
// version's; it returns how many it gave. What was on its way is let in first.
func (s *scenario) onlyVersionOf(run *clients.Run, version string, requests int) int {
	s.t.Helper()
	s.awaitRequests(run, 2*testerClients*5)
	counts := s.awaitRequests(run, requests)
	if len(counts.ByVersion) != 1 || counts.ByVersion[version] == 0 {
		s.t.Errorf("%d answers are by version %v, want %s only", counts.Requests, counts.ByVersion, version)
	}
	return counts.ByVersion[version]
}

// rules are those of the production route, without their weights.
func (s *scenario) rules() []string {
	s.t.Helper()
	object, err := s.shop.Production(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var found []string
	for _, place := range []string{"rules", "http"} { // of a Gateway's route, and of a mesh's
		rules, _, err := unstructured.NestedSlice(object.Object, "spec", place)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, rule := range rules {
			text, err := json.Marshal(weightless(rule))
			if err != nil {
				s.t.Fatal(err)
			}
			found = append(found, string(text))
		}
	}
	if len(found) == 0 {
		s.t.Fatalf("%s has no rules", object.GetName())
	}
	return found
}

// weightless is a part of an object without the weights in it.
func weightless(part any) any {
	switch part := part.(type) {
	case map[string]any:
		delete(part, "weight")
		for key := range part {
			part[key] = weightless(part[key])
		}
	case []any:
		for i := range part {
			part[i] = weightless(part[i])
		}
	}
	return part
}

// withoutPreview fails the test unless the route has the rules that it had, and no
// mark.
func (s *scenario) withoutPreview(before []string) {
	s.t.Helper()
	if after := s.rules(); !slices.Equal(before, after) {
		s.t.Errorf("the rules were %q and are %q", before, after)
	}
	object, err := s.shop.Production(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if mark, found := object.GetAnnotations()[cluster.AnnotationPreview]; found {
		s.t.Errorf("the mark %s is left", mark)
	}
}
