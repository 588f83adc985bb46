package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	ana, ben = "system:serviceaccount:default:ana", "system:serviceaccount:default:ben"

	leaseName, recordName = "leases/bluegreen-shop", "configmaps/bluegreen-shop"
	route, workload       = "services/svc-production", "deployments/shop-green"
)

// story is what two operators wrote, a millisecond and a revision each.
type story struct {
	writes []Write
	clock  time.Time
	heads  map[string]int64
}

func newStory() *story {
	return &story{clock: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), heads: map[string]int64{}}
}

// lands is a write that landed on top of the last of its object.
func (s *story) lands(user, object string, epoch int64) *Write {
	s.clock = s.clock.Add(time.Millisecond)
	revision := int64(len(s.writes) + 1)
	write := Write{User: user, Verb: "update", Object: object, Epoch: epoch, Holder: user + "/1", Code: 200, Revision: revision, Above: s.heads[object],
		Received: s.clock.Add(-time.Microsecond), Completed: s.clock}
	s.heads[object] = revision
	s.writes = append(s.writes, write)
	return &s.writes[len(s.writes)-1]
}

// refused is a write whose object had changed.
func (s *story) refused(user, object string, epoch int64) {
	write := s.lands(user, object, epoch)
	write.Code, write.Revision = 409, 0
	s.heads[object] = write.Above
}

// bare is a write that can carry no stamp.
func (s *story) bare(user, verb, object string) *Write {
	write := s.lands(user, object, 0)
	write.Verb, write.Holder, write.Revision, write.Above = verb, "", 0, 0
	return write
}

// run is what a holder writes to begin: lease, record, stamps.
func (s *story) takes(user string, epoch int64) {
	for _, object := range []string{leaseName, recordName, route, workload, recordName} {
		s.lands(user, object, epoch)
	}
}

// takeOver is a race without a fault: ana shifts and falls asleep, ben takes
// over, what ana writes then is refused, and ben ends the run.
func takeOver() *story {
	s := newStory()
	s.takes(ana, 7)
	s.bare(ana, "create", "pods/shop-green-spare-x")
	s.bare(ana, "delete", "pods/shop-green-spare-x")
	s.lands(ana, route, 7)
	s.bare(ana, "create", "pods/shop-blue-1/eviction").Code = 201
	s.lands(ben, leaseName, 8)
	s.lands(ana, recordName, 7) // ben's record comes on top of it
	s.lands(ben, recordName, 8)
	s.lands(ben, route, 8)
	s.lands(ana, workload, 7) // as does ben's stamp
	s.lands(ben, workload, 8)
	s.refused(ana, route, 7)
	s.refused(ana, leaseName, 7)
	s.lands(ana, route, 0).Stop = true
	s.lands(ana, "leases/bluegreen-shop-guard", 0)
	s.lands(ben, route, 8)
	s.lands(ben, recordName, 8)
	archive := s.lands(ben, recordName+"-20261124", 6) // of a run before
	archive.Verb = "create"
	s.lands(ben, leaseName, 8).Holder = ""
	s.bare(ana, "delete", recordName+"-20261101")
	return s
}

// judged judges a story by an eye to the cluster that it left.
func (s *story) judged(atLeast int) Verdict {
	release := Release{Name: "shop", Route: route, AtLeast: atLeast, Live: map[string]int64{}}
	for _, name := range release.Chained() {
		release.Live[name] = s.heads[name]
	}
	return Judge(s.writes, release)
}

// A race that went as it should is counted, and breaks no rule.
func TestTakeOverPasses(t *testing.T) {
	want := Verdict{Landed: 19, Refused: 2, Stale: 2, Late: 2, Epochs: 2, TakeOvers: 1}
	if difference := cmp.Diff(want, takeOver().judged(19)); difference != "" {
		t.Errorf("verdict (-want +got):\n%s", difference)
	}
}

// A gateway says in the status of a route what it made of it, whoever holds the
// run: that is no write of the release, and a link of the route's chain.
func TestStatusIsTheGateways(t *testing.T) {
	const gateway = "system:serviceaccount:gateway:traefik"
	s := takeOver()
	want := s.judged(19)
	says := func() *Write {
		write := s.lands(gateway, route, 0)
		write.Status, write.Holder = true, ""
		return write
	}
	says()
	s.lands(ben, route, 8)
	s.refused(gateway, route, 0)
	s.writes[len(s.writes)-1].Status = true
	want.Landed++
	if difference := cmp.Diff(want, s.judged(19)); difference != "" {
		t.Errorf("verdict (-want +got):\n%s", difference)
	}

	// One that comes after the cluster was looked at is no hole.
	before := s.heads[route]
	says()
	s.heads[route] = before
	if difference := cmp.Diff(want, s.judged(19)); difference != "" {
		t.Errorf("a late one (-want +got):\n%s", difference)
	}

	// One that the log lacks is a hole like any other.
	missing := takeOver()
	lost := missing.lands(gateway, route, 0)
	lost.Status, lost.Code, lost.Revision = true, 409, 0
	missing.lands(ben, route, 8)
	if found := missing.judged(19).Violations; len(found) != 1 || !strings.Contains(found[0], "the log lacks a write of "+route) {
		t.Errorf("a status that the log lacks: %q", found)
	}
}

// Who has lost the run may still take away the spare pod that it made itself.
func TestOwnSparePodIsTidied(t *testing.T) {
	s := takeOver()
	want := s.judged(19)
	want.Landed, want.Tidied = want.Landed+1, 1
	s.bare(ana, "delete", "pods/shop-green-spare-x")
	if difference := cmp.Diff(want, s.judged(19)); difference != "" {
		t.Errorf("verdict (-want +got):\n%s", difference)
	}
}

// So may the creation of that pod have been on its way, once, if it does not stay.
func TestASparePodOnItsWayIsCounted(t *testing.T) {
	s := takeOver()
	want := s.judged(19)
	want.Landed, want.Created, want.Tidied = want.Landed+2, 1, 1
	s.bare(ana, "create", "pods/shop-green-spare-y")
	s.bare(ana, "delete", "pods/shop-green-spare-y")
	if difference := cmp.Diff(want, s.judged(19)); difference != "" {
		t.Errorf("verdict (-want +got):\n%s", difference)
	}
	s.bare(ana, "create", "pods/shop-green-spare-z")
	s.bare(ana, "delete", "pods/shop-green-spare-z")
	if found := s.judged(19).Violations; len(found) != 1 || !strings.Contains(found[0], "create pods/shop-green-spare-z") {
		t.Errorf("a second one: %q", found)
	}
}

// What a former holder had on its way may create an object, once.
func TestACreationOnItsWayIsCounted(t *testing.T) {
	s := takeOver()
	want := s.judged(19)
	want.Landed, want.Late, want.Created = want.Landed+1, want.Late+1, 1
	s.lands(ana, "poddisruptionbudgets/shop-green", 7).Code = 201
	if difference := cmp.Diff(want, s.judged(19)); difference != "" {
		t.Errorf("verdict (-want +got):\n%s", difference)
	}
	s.lands(ana, "services/svc-green", 7).Code = 201
	if found := s.judged(19).Violations; len(found) != 1 || !strings.Contains(found[0], "a stale write landed") {
		t.Errorf("a second one: %q", found)
	}
}

// A renewal that the API server gave up on, and that is in the store all the
// same, is known by the hole that it fills; it counts like any other.
func TestAWriteThatNobodyHeardOfIsFound(t *testing.T) {
	for name, code := range map[string]int{"the API server gave up": 504, "its answer broke off": 0} {
		t.Run(name, func(t *testing.T) {
			s := takeOver()
			s.lands(ben, leaseName, 8)
			s.lands(ben, leaseName, 8)
			want := s.judged(19)
			want.Heard++
			s.writes[len(s.writes)-2].Code, s.writes[len(s.writes)-2].Revision = code, 0
			if difference := cmp.Diff(want, s.judged(19)); difference != "" {
				t.Errorf("verdict (-want +got):\n%s", difference)
			}
		})
	}
	t.Run("the last of all", func(t *testing.T) {
		s := takeOver()
		s.lands(ben, leaseName, 8)
		want := s.judged(19)
		want.Heard++
		s.writes[len(s.writes)-1].Code, s.writes[len(s.writes)-1].Revision = 504, 0
		if difference := cmp.Diff(want, s.judged(19)); difference != "" {
			t.Errorf("verdict (-want +got):\n%s", difference)
		}
	})
	t.Run("one that did not land", func(t *testing.T) {
		s := takeOver()
		want := s.judged(19)
		s.refused(ben, leaseName, 8)
		s.writes[len(s.writes)-1].Code = 504
		if difference := cmp.Diff(want, s.judged(19)); difference != "" {
			t.Errorf("verdict (-want +got):\n%s", difference)
		}
	})
}

// Each fault is planted into that race, and is what is found.
func TestFaultsAreFound(t *testing.T) {
	for name, fault := range map[string]struct {
		plant func(*story)
		says  string
	}{
		"two accounts in one epoch": {func(s *story) { s.lands(ana, recordName, 8) }, "epoch 8 has two writers, " + ben + " and " + ana},
		"two holders of one account": {func(s *story) { s.lands(ben, recordName, 8).Holder = ben + "/2" },
			"epoch 8 has two holders, " + ben + "/1 and " + ben + "/2"},
		"a lease taken twice": {func(s *story) { s.lands(ana, leaseName, 8) }, "epoch 8 has two writers"},
		"the route goes back": {func(s *story) { s.lands(ana, route, 7) }, route + " goes back from epoch 8 to 7"},
		"the lease goes back": {func(s *story) { s.lands(ana, leaseName, 7) }, leaseName + " goes back from epoch 8 to 7"},
		"a stale write lands": {func(s *story) { s.lands(ana, "horizontalpodautoscalers/shop-blue", 7) }, "a stale write landed after epoch 8 had taken over"},
		"a stale scale":       {func(s *story) { s.lands(ana, workload, 7) }, workload + " goes back from epoch 8 to 7"},
		"a stale eviction":    {func(s *story) { s.bare(ana, "create", "pods/shop-blue-2/eviction") }, "by the holder of epoch 7 while the route had epoch 8"},
		"a stale spare pod":   {func(s *story) { s.bare(ana, "create", "pods/shop-green-spare-y") }, "by the holder of epoch 7"},
		"another's spare pod is taken": {func(s *story) {
			s.bare(ben, "create", "pods/shop-green-spare-z")
			s.bare(ana, "delete", "pods/shop-green-spare-z")
		}, "by the holder of epoch 7 while the route had epoch 8: delete pods/shop-green-spare-z"},
		"a stale archive":            {func(s *story) { s.bare(ana, "create", recordName+"-20261125") }, "by the holder of epoch 7"},
		"an eviction by a bystander": {func(s *story) { s.bare("eve", "create", "pods/shop-blue-2/eviction") }, "by somebody who held no epoch"},
		"a write without an epoch":   {func(s *story) { s.lands(ben, workload, 0) }, "a write without an epoch"},
		"a hand edit of the route":   {func(s *story) { s.lands("eve", route, 0) }, "a write without an epoch"},
		"a log with a hole":          {func(s *story) { s.writes = slices.Delete(s.writes, 7, 8) }, "the log lacks a write of " + route},
		"an unheard write by another": {func(s *story) {
			s.lands(ana, recordName, 8)
			s.lands(ben, recordName, 8)
			s.writes[len(s.writes)-2].Code, s.writes[len(s.writes)-2].Revision = 504, 0
		}, "epoch 8 has two writers"},
		"a hole that no unheard write fits": {func(s *story) {
			s.refused(ben, route, 8)
			s.writes[len(s.writes)-1].Code = 504
			s.writes = slices.Delete(s.writes, 7, 8)
		}, "the log lacks a write of " + route},
		"a log that ends too early":   {func(s *story) { s.heads[route]++ }, "the log ends with revision 20 of " + route + ", and the cluster holds 21"},
		"a log with nothing in it":    {func(s *story) { s.writes = nil }, "the log holds 0 writes, and there must be 19 at least"},
		"a release that nobody wrote": {func(s *story) { *s = *newStory() }, "the log holds 0 writes, and there must be 19 at least"},
	} {
		t.Run(name, func(t *testing.T) {
			s := takeOver()
			fault.plant(s)
			found := s.judged(19).Violations
			if !slices.ContainsFunc(found, func(violation string) bool { return strings.Contains(violation, fault.says) }) {
				t.Errorf("nothing says %q in %q", fault.says, found)
			}
		})
	}
}

// Order is that of the store, whatever the order of the lines: a log is written
// by many requests at once.
func TestOrderIsThatOfRevisions(t *testing.T) {
	s := takeOver()
	want := s.judged(19)
	slices.Reverse(s.writes)
	if difference := cmp.Diff(want, s.judged(19)); difference != "" {
		t.Errorf("verdict of the lines the other way round (-want +got):\n%s", difference)
	}
}
