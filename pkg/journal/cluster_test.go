package journal

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
)

// start is when every test begins.
var start = time.Date(2026, 11, 22, 15, 30, 12, 0, time.UTC)

// apiServer is the fake clientset with what it lacks: a write against another
// resourceVersion than the object has is a conflict.
type apiServer struct {
	*fake.Clientset
	mutex   sync.Mutex
	version int
	// before may refuse a write; after may make an answer get lost.
	before, after func(verb, resource string) error
}

func newAPIServer() *apiServer {
	server := &apiServer{Clientset: fake.NewClientset()}
	server.PrependReactor("create", "*", server.write)
	server.PrependReactor("update", "*", server.write)
	return server
}

// fail sets what the next writes run into; nil heals.
func (s *apiServer) fail(before, after func(verb, resource string) error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.before, s.after = before, after
}

func (s *apiServer) write(action kubetesting.Action) (bool, runtime.Object, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	verb, resource := action.GetVerb(), action.GetResource()
	if s.before != nil {
		if err := s.before(verb, resource.Resource); err != nil {
			return true, nil, err
		}
	}
	object := action.(kubetesting.CreateAction).GetObject().DeepCopyObject()
	accessor, err := meta.Accessor(object)
	if err != nil {
		return true, nil, err
	}
	existing, err := s.Tracker().Get(resource, action.GetNamespace(), accessor.GetName())
	if err == nil && verb == "update" {
		current, err := meta.Accessor(existing)
		if err != nil {
			return true, nil, err
		}
		if current.GetResourceVersion() != accessor.GetResourceVersion() {
			return true, nil, apierrors.NewConflict(resource.GroupResource(), accessor.GetName(), errors.New("resourceVersion"))
		}
	}
	s.version++
	accessor.SetResourceVersion(strconv.Itoa(s.version))
	if verb == "create" {
		err = s.Tracker().Create(resource, object, action.GetNamespace())
	} else {
		err = s.Tracker().Update(resource, object, action.GetNamespace())
	}
	if err == nil && s.after != nil {
		err = s.after(verb, resource.Resource)
	}
	return true, object, err
}

// place is a cluster and a clock that several holders share.
type place struct {
	t      *testing.T
	server *apiServer
	clock  *clocktesting.FakeClock
}

func newPlace(t *testing.T) *place {
	return &place{t: t, server: newAPIServer(), clock: clocktesting.NewFakeClock(start)}
}

func (p *place) journal() *Journal { return New(p.server, "shop-ns", "shop", p.clock) }

// run is a run with an id that sorts by number.
func run(number int) Run {
	return Run{ID: NewRunID(start.Add(time.Duration(number)*time.Second), "aaaaa"), From: "blue", To: "green", Phase: "preflight", Document: []byte("kind: Release\n")}
}

// acquire takes the release for a holder, or fails the test.
func (p *place) acquire(holder string, run Run, floor int64) *Tenure {
	p.t.Helper()
	tenure, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: holder, Floor: floor}, run)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { tenure.stop() })
	return tenure
}

// context guards against a hang.
func (p *place) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	p.t.Cleanup(cancel)
	return ctx
}

// crash ends a holder without a word: nothing is renewed or given up.
func crash(tenure *Tenure) {
	tenure.stop()
	<-tenure.renewing
}

// inBubble is a test in which passTime waits for goroutines, however slow this
// machine is.
func inBubble(test func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

// passTime moves the clock until done, whenever everybody waits for it: a sleep
// in the bubble of a test ends once nobody in it has anything else to do.
func (p *place) passTime(done <-chan struct{}, step time.Duration) {
	p.t.Helper()
	for range 10_000 {
		time.Sleep(time.Millisecond)
		select {
		case <-done:
			return
		default:
			p.clock.Step(step)
		}
	}
	p.t.Fatal("nothing happens")
}

// attempt acquires in the background while time passes.
func (p *place) attempt(options AcquireOptions, run Run, step time.Duration) (*Tenure, error) {
	p.t.Helper()
	done := make(chan struct{})
	var tenure *Tenure
	var err error
	go func() {
		defer close(done)
		tenure, err = p.journal().Acquire(p.context(), options, run)
	}()
	p.passTime(done, step)
	if tenure != nil {
		p.t.Cleanup(func() { tenure.stop() })
	}
	return tenure, err
}
