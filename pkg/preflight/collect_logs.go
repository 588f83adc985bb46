package preflight

import (
	"context"
	"sync"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// logs asks the Loki that is declared for the streams of each colour.
func logs(ctx context.Context, in Inputs) map[string]Fact[measure.Logs] {
	found := map[string]Fact[measure.Logs]{}
	loki, err := measure.NewLoki(in.Client, in.Release, in.Clock)
	if loki == nil && err == nil {
		return found
	}
	var mu sync.Mutex
	var collectors []func(context.Context)
	for _, name := range in.Release.Spec.ColorNames() {
		collectors = append(collectors, func(ctx context.Context) {
			of := factOf(measure.Logs{}, err)
			if loki != nil {
				of = askedOf(loki.Name(), func() (measure.Logs, error) { return loki.Logs(ctx, name) })
			}
			mu.Lock()
			defer mu.Unlock()
			found[name] = of
		})
	}
	parallel(ctx, collectors...)
	return found
}

// dashboards asks the Grafana that is declared for those of the release.
func dashboards(ctx context.Context, in Inputs) Fact[[]measure.Dashboard] {
	grafana, err := measure.NewGrafana(ctx, in.Client, in.Release, in.Getenv)
	switch {
	case err != nil:
		return notKnown[[]measure.Dashboard](err)
	case grafana == nil:
		return Fact[[]measure.Dashboard]{}
	}
	return askedOf(grafana.Name(), func() ([]measure.Dashboard, error) { return grafana.Dashboards(ctx) })
}

// askedOf is what a server says, or why it doesn't, with its name.
func askedOf[T any](server string, ask func() (T, error)) Fact[T] {
	fact := factOf(ask())
	if !fact.Known {
		fact.Problem = server + ": " + fact.Problem
	}
	return fact
}
