package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// story is the service, the load on it and how far it was told.
type story struct {
	shop     *shop.Shop
	load     *load
	narrator narrator
	terminal terminal
	// pool is the pool size that fits, once a chapter has found it out.
	pool int
}

// chapter is one part of the story.
type chapter struct {
	title string
	// tell tells it and returns what to put into the closing table. The
	// error says what was not as told.
	tell func(context.Context, *story) (row, error)
}

// chapters are all of them in order: each begins where the one before ended.
func chapters() []chapter {
	return []chapter{
		{"a healthy release", healthyRelease},
		{"back on request", requestedRollback},
		{"two pools, one max_connections", exhaustedDatabase},
		{"a release that errors", badRelease},
	}
}

// tell deploys the service, puts load on it and tells all chapters.
func tell(ctx context.Context, place *shop.Place, o options, out io.Writer) error {
	began := time.Now()
	folder, err := os.MkdirTemp("", "bluegreen-story-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	s := &story{narrator: narrator{out: out}}
	if err := s.begin(ctx, place, folder, o); err != nil {
		return err
	}
	rows, err := s.tellAll(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed := closing(out, rows); failed != nil {
		return errors.Join(err, failed)
	}
	fmt.Fprintf(out, "\n%d chapters in %.0f s.\n", len(rows), time.Since(began).Seconds())
	if err != nil {
		fmt.Fprintf(out, "\nNot as told: %v\n", err)
		return errTold
	}
	return nil
}

// tellAll tells one chapter after the other, up to one that ends otherwise.
func (s *story) tellAll(ctx context.Context) ([]row, error) {
	var rows []row
	for number, chapter := range chapters() {
		s.narrator.chapter(number+1, chapter.title)
		from, err := s.load.settle(ctx, 0)
		if err != nil {
			return rows, err
		}
		told, failure := chapter.tell(ctx, s)
		// What was sent in the last moment is counted with it.
		to, err := s.load.settle(ctx, 2)
		if err != nil {
			return rows, errors.Join(failure, err)
		}
		told.title, told.told, told.seen = chapter.title, failure == nil, s.load.between(from, to)
		rows = append(rows, told)
		if failure != nil {
			return rows, fmt.Errorf("%s: %w", chapter.title, failure)
		}
	}
	return rows, nil
}

// begin deploys blue and starts the load.
func (s *story) begin(ctx context.Context, place *shop.Place, folder string, o options) error {
	s.narrator.say("A web shop runs its recommendation service in the namespace %s: a Service svc-production, "+
		"a Deployment for each colour, one PostgreSQL with max_connections = 100 for both. Blue serves v2.4.0.", namespace)
	opened, err := place.Open(ctx, shop.Options{
		Namespace: namespace, Labels: map[string]string{ownLabel: "true"}, Folder: folder, Release: demoRelease,
		Env:   quickService(),
		Green: shop.Slot{Version: goodVersion},
	})
	if err != nil {
		return err
	}
	s.shop = opened
	s.terminal = terminal{folder: folder, plugin: o.plugin, narrator: s.narrator}
	s.narrator.say("%s", setting(folder))
	if s.load, err = startLoad(ctx, place.Client.Kubernetes, namespace, o.rate); err != nil {
		return err
	}
	s.narrator.say("From now on %d clients ask svc-production for %d requests a second: %d of them keep their connection, "+
		"%d open one for every request. Every answer but a 2xx, and every broken connection, is a failed request.",
		keepAliveClients+freshClients, o.rate, keepAliveClients, freshClients)
	if _, err = s.load.settle(ctx, 3); err != nil {
		return err
	}
	return s.awaitMeasured(ctx)
}

// setting says where the files of the story are, and what is unlike a real
// release.
func setting(folder string) string {
	return fmt.Sprintf("The release is described by bluegreen.yaml, which lies with its manifests in %s, the folder of the commands "+
		"below; it is taken away at the end. Its times are short, so that you can sit through it: traffic is watched for %.0f "+
		"seconds where the default is ten minutes.", folder, watch.Seconds())
}

// watch is for how long the demo watches a release after the switch.
const watch = 15 * time.Second

// demoRelease makes the Release of tests that of the demo.
func demoRelease(document *release.Release) {
	document.Spec.Metrics.Prometheus = &release.Prometheus{Service: "monitoring/prometheus:9090"}
	document.Spec.Metrics.Alertmanager = "monitoring/alertmanager:9093"
	document.Spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(8 * time.Second)}}
	document.Spec.Traffic.Watch = release.Duration(watch)
}

// quickService is the environment of both colours: a drain that is short for an
// audience, and patience with a machine that has a cluster to run beside.
func quickService() map[string]string {
	return map[string]string{"DRAIN_SECONDS": "3", "REQUEST_TIMEOUT": "5s", "DB_CONNECT_TIMEOUT": "15s"}
}

// last is the status of the last run, with everything that it saw.
func (s *story) last(ctx context.Context) (*rollout.RunStatus, error) {
	text, err := s.terminal.read(ctx, "bluegreen", "status", "-o", "json")
	if err != nil {
		return nil, err
	}
	status := &rollout.RunStatus{}
	if err := json.Unmarshal(text, status); err != nil {
		return nil, fmt.Errorf("read RunStatus: %w", err)
	}
	return status, nil
}

// expectCode holds an exit code against what the story says.
func expectCode(ended ending, code int) error {
	if ended.code != code {
		return fmt.Errorf("the exit code is %d, not %d", ended.code, code)
	}
	return nil
}
