package measure

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// shared is how long one round of scrapes serves every query: those of
	// one tick come together.
	shared = 900 * time.Millisecond
	// scrapeTimeout bounds one scrape.
	scrapeTimeout = 4 * time.Second
	// scrapesAtOnce bounds the connections that are open together.
	scrapesAtOnce = 10
)

// errNotServed says that a pod has no metrics where they were looked for by
// a guess.
var errNotServed = errors.New("no metrics are served")

// reach is what scraping needs of a cluster client.
type reach interface {
	PodTransport(namespace, pod string, port int) http.RoundTripper
}

// podFinder finds the pods of a colour.
type podFinder interface {
	pods(ctx context.Context, color string) ([]corev1.Pod, error)
}

// scraper reads the pods' own /metrics and remembers what they did.
type scraper struct {
	finder    podFinder
	reach     reach
	namespace string
	metrics   release.Metrics
	names     dialect
	clock     clock.Clock
	pace      *pace
	// most is how many pods of one colour are read in one round.
	most int

	mu     sync.Mutex
	colors map[string]*colorScrapes
}

// colorScrapes is what is known of one colour. Its turn is a lock that can be
// waited for with a context.
type colorScrapes struct {
	turn    chan struct{}
	round   round
	history map[string]*history // by the pod's UID
	silent  map[string]bool     // pods, by UID, that serve no metrics
	// counts: a pod has shown the request counter, which then counts from
	// zero on a page without it: it appears with the first request.
	counts bool
	// done is what all pods did since they were first scraped, and marks are
	// what that was at each round in which every pod answered.
	done  totals
	marks []mark
}

// round is one look at all pods of a colour.
type round struct {
	time time.Time
	// pods are those that run; chosen those that were asked, by UID;
	// read those that answered; silent those known to serve no metrics.
	pods, chosen, silent int
	read                 []scraped
	// paths are where those that were asked serve their metrics, or where
	// a pod without a word on it would.
	paths []string
	// declared: a pod, or the release, says where metrics are served.
	declared bool
	// err is the first failure of a pod that should have answered, or the
	// failure to list pods at all.
	err error
}

// scraped is one pod that answered.
type scraped struct {
	uid, name string
	history   *history
}

// newScraper spreads the requests that the pace allows in one interval over
// the two colours.
func newScraper(finder podFinder, reach reach, namespace string, metrics release.Metrics, names dialect, interval time.Duration, clock clock.Clock) *scraper {
	if interval <= 0 {
		interval = release.DefaultInterval.Std()
	}
	most := int(requestsPerSecond * interval.Seconds() / 2)
	return &scraper{
		finder: finder, reach: reach, namespace: namespace, metrics: metrics, names: names, clock: clock,
		pace: newPace(clock), most: max(most, 1), colors: map[string]*colorScrapes{},
	}
}

// look returns a round that is recent enough, or makes one. The round must be
// read while the turn is held; done gives it back.
func (s *scraper) look(ctx context.Context, color string) (scrapes *colorScrapes, done func(), err error) {
	s.mu.Lock()
	scrapes, found := s.colors[color]
	if !found {
		scrapes = &colorScrapes{turn: make(chan struct{}, 1), history: map[string]*history{}, silent: map[string]bool{}}
		s.colors[color] = scrapes
	}
	s.mu.Unlock()
	select {
	case scrapes.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("wait for the scrape of %s: %w", color, ctx.Err())
	}
	if scrapes.round.time.IsZero() || s.clock.Since(scrapes.round.time) >= shared {
		s.scrape(ctx, color, scrapes)
	}
	return scrapes, func() { <-scrapes.turn }, nil
}

// scrape makes one round.
func (s *scraper) scrape(ctx context.Context, color string, scrapes *colorScrapes) {
	scrapes.round = round{time: s.clock.Now(), paths: []string{pathOf(s.metrics)}}
	pods, err := s.finder.pods(ctx, color)
	if err != nil {
		scrapes.round.err = err
		return
	}
	pods = slices.DeleteFunc(pods, func(pod corev1.Pod) bool {
		return pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == ""
	})
	scrapes.round.pods = len(pods)
	chosen := sample(pods, s.most)
	scrapes.round.chosen = len(chosen)
	scrapes.round.paths = s.paths(chosen)
	pages, errs := s.read(ctx, chosen, scrapes.silent)
	for i := range chosen {
		uid := string(chosen[i].UID)
		if at, found := endpointOf(&chosen[i], s.metrics); found && at.declared {
			scrapes.round.declared = true
		}
		switch {
		case errors.Is(errs[i], errNotServed):
			scrapes.silent[uid] = true
			scrapes.round.silent++
		case errs[i] != nil:
			if scrapes.round.err == nil {
				scrapes.round.err = fmt.Errorf("pod %s: %w", chosen[i].Name, errs[i])
			}
		default:
			known := scrapes.history[uid]
			if known == nil {
				known = &history{}
				scrapes.history[uid] = known
			}
			known.add(pages[i].time, pages[i].exposition)
			scrapes.counts = scrapes.counts || pages[i].counts
			scrapes.round.read = append(scrapes.round.read, scraped{uid: uid, name: chosen[i].Name, history: known})
		}
	}
	scrapes.mark(color)
	scrapes.forget(scrapes.round.time)
}

// paths are where pods serve their metrics, each once.
func (s *scraper) paths(pods []corev1.Pod) []string {
	var paths []string
	for i := range pods {
		if at, found := endpointOf(&pods[i], s.metrics); found && !slices.Contains(paths, at.path) {
			paths = append(paths, at.path)
		}
	}
	if len(paths) == 0 {
		return []string{pathOf(s.metrics)}
	}
	return paths
}

// forget drops pods that have long been gone.
func (c *colorScrapes) forget(now time.Time) {
	for uid, known := range c.history {
		if now.Sub(known.latest()) > historyAge {
			delete(c.history, uid)
		}
	}
}

// page is one scrape that worked.
type page struct {
	time time.Time
	exposition
}

// read scrapes pods in parallel; the results are in their order.
func (s *scraper) read(ctx context.Context, pods []corev1.Pod, silent map[string]bool) ([]page, []error) {
	pages, errs := make([]page, len(pods)), make([]error, len(pods))
	var group errgroup.Group
	group.SetLimit(scrapesAtOnce)
	for i := range pods {
		if silent[string(pods[i].UID)] {
			errs[i] = errNotServed
			continue
		}
		group.Go(func() error {
			pages[i], errs[i] = s.readPod(ctx, &pods[i])
			return nil
		})
	}
	_ = group.Wait() // every error is in errs
	return pages, errs
}

// readPod scrapes one pod.
func (s *scraper) readPod(ctx context.Context, pod *corev1.Pod) (page, error) {
	at, found := endpointOf(pod, s.metrics)
	if !found {
		return page{}, errNotServed
	}
	if err := s.pace.wait(ctx); err != nil {
		return page{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	// The transport goes by path and query; the host only names it.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s:%d%s", pod.Name, at.port, at.path), nil)
	if err != nil {
		return page{}, fmt.Errorf("read %s: %w", at.path, err)
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	response, err := s.reach.PodTransport(s.namespace, pod.Name, at.port).RoundTrip(request)
	s.pace.heed(response, err)
	if err != nil {
		return page{}, fmt.Errorf("read %s of port %d: %w", at.path, at.port, err)
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	if response.StatusCode != http.StatusOK {
		if !at.declared && guessedWrong(response.StatusCode) {
			return page{}, errNotServed
		}
		return page{}, fmt.Errorf("read %s of port %d: status %d", at.path, at.port, response.StatusCode)
	}
	read, err := readExposition(response.Body, s.names, platformPaths(pod, at.path))
	if err == nil && read.families == 0 && !isExposition(response.Header.Get("Content-Type")) {
		err = errNotMetrics
	}
	if errors.Is(err, errNotMetrics) && !at.declared && ctx.Err() == nil {
		return page{}, errNotServed
	}
	return page{time: s.clock.Now(), exposition: read}, err
}

// guessedWrong: the pod's own server is there, and has no such page. What the
// API server refuses is an error of the transport.
func guessedWrong(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests
}

// sample chooses at most most pods, and the same ones for as long as they
// live: rates need the pods that were read before.
func sample(pods []corev1.Pod, most int) []corev1.Pod {
	if len(pods) <= most {
		return pods
	}
	order := func(pod corev1.Pod) uint32 {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(pod.UID)) // a hash's Write never fails
		return hash.Sum32()
	}
	chosen := slices.Clone(pods)
	slices.SortStableFunc(chosen, func(a, b corev1.Pod) int {
		if x, y := order(a), order(b); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return 0
	})
	return chosen[:most]
}
