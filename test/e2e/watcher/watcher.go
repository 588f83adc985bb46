package watcher

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// patience bounds how long Check waits for the streams to come as far as the
// cluster is.
const patience = time.Minute

// Watcher watches one production route.
type Watcher struct {
	route   Route
	streams []*stream
	// from is the first revision of which all is known.
	from uint64
	stop context.CancelFunc
}

// stream is the events of one kind.
type stream struct {
	kind  string
	lists *cache.ListWatch

	mutex  sync.Mutex
	events []Event
	// blind is why the stream ended, nil while it goes on.
	blind error
	// changed is closed, and made anew, with every event.
	changed chan struct{}
}

// Start begins to watch a route, and the Services, EndpointSlices and pods of
// its namespace, until ctx ends or the watcher is stopped. The route must exist.
func Start(ctx context.Context, client kubernetes.Interface, namespace string, route Route) (*Watcher, error) {
	core, discovery := client.CoreV1().RESTClient(), client.DiscoveryV1().RESTClient()
	ctx, stop := context.WithCancel(ctx)
	watcher := &Watcher{stop: stop, route: route}
	if route.lists != nil {
		watcher.streams = append(watcher.streams, &stream{kind: route.kind, lists: route.lists})
	}
	for kind, api := range map[string]cache.Getter{"services": core, "endpointslices": discovery, "pods": core} {
		lists := cache.NewListWatchFromClient(api, kind, namespace, fields.Everything())
		watcher.streams = append(watcher.streams, &stream{kind: kind, lists: lists})
	}
	for _, stream := range watcher.streams {
		revision, err := stream.follow(ctx)
		if err != nil {
			stop()
			return nil, fmt.Errorf("watch %s for %s in %s: %w", stream.kind, route.object, namespace, err)
		}
		watcher.from = max(watcher.from, revision)
	}
	return watcher, nil
}

// Stop ends the watching.
func (w *Watcher) Stop() { w.stop() }

// Check waits until the watches have come as far as the cluster is now, and
// returns a *NothingError if there was an event, since Start, after which the
// route selected nothing. Another error says that not everything was seen.
func (w *Watcher) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var events []Event
	until := uint64(0)
	for _, stream := range w.streams {
		revision, err := stream.catchUp(ctx)
		if err != nil {
			return fmt.Errorf("check %s: %w", stream.kind, err)
		}
		if until == 0 || revision < until {
			until = revision
		}
	}
	for _, stream := range w.streams {
		seen, err := stream.seen()
		if err != nil {
			return fmt.Errorf("check %s: %w", stream.kind, err)
		}
		events = append(events, seen...)
	}
	return judge(w.route, events, w.from, until)
}

// follow lists once and watches from there on.
func (s *stream) follow(ctx context.Context) (uint64, error) {
	s.changed = make(chan struct{})
	listed, revision, err := s.list(ctx)
	if err != nil {
		return 0, err
	}
	s.events = listed
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, strconv.FormatUint(revision, 10), s.lists)
	if err != nil {
		return 0, err
	}
	go func() {
		defer watcher.Stop()
		for event := range watcher.ResultChan() {
			s.add(event)
		}
	}()
	return revision, nil
}

// list asks for what there is now; every object is an event of its revision.
func (s *stream) list(ctx context.Context) ([]Event, uint64, error) {
	found, err := s.lists.ListWithContext(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, 0, err
	}
	items, err := meta.ExtractList(found)
	if err != nil {
		return nil, 0, err
	}
	accessor, err := meta.ListAccessor(found)
	if err != nil {
		return nil, 0, err
	}
	revision, err := strconv.ParseUint(accessor.GetResourceVersion(), 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("read revision of the list: %w", err)
	}
	events := make([]Event, 0, len(items))
	for _, item := range items {
		event, err := eventOf(item, false)
		if err != nil {
			return nil, 0, err
		}
		events = append(events, event)
	}
	return events, revision, nil
}

// eventOf makes an event of an object.
func eventOf(object runtime.Object, gone bool) (Event, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return Event{}, err
	}
	revision, err := strconv.ParseUint(accessor.GetResourceVersion(), 10, 64)
	if err != nil {
		return Event{}, fmt.Errorf("read revision of %s: %w", accessor.GetName(), err)
	}
	return Event{Revision: revision, Object: accessor, Gone: gone}, nil
}

// add keeps what the API server has told.
func (s *stream) add(told watch.Event) {
	event, err := Event{}, error(nil)
	if told.Type == watch.Error {
		err = apierrors.FromObject(told.Object)
	} else {
		event, err = eventOf(told.Object, told.Type == watch.Deleted)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err != nil {
		s.blind = err
	} else {
		s.events = append(s.events, event)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// seen are the events so far.
func (s *stream) seen() ([]Event, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.blind != nil {
		return nil, fmt.Errorf("the watch saw no more: %w", s.blind)
	}
	return append([]Event{}, s.events...), nil
}

// catchUp waits until the stream knows all that a list of now says, and
// returns the list's revision.
func (s *stream) catchUp(ctx context.Context) (uint64, error) {
	listed, revision, err := s.list(ctx)
	if err != nil {
		return 0, err
	}
	for {
		s.mutex.Lock()
		changed := s.changed
		s.mutex.Unlock()
		events, err := s.seen()
		if err != nil {
			return 0, err
		}
		lacking := missing(events, listed, revision)
		if lacking == "" {
			return revision, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the watch has not told of %s at revision %d: %w", lacking, revision, ctx.Err())
		case <-changed:
		}
	}
}
