package preflight

import (
	"context"
	"errors"
	"sync"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func databases(ctx context.Context, in Inputs) map[string]Database {
	declared := in.Release.Spec.Databases
	found := make([]Database, len(declared))
	var running sync.WaitGroup
	for i, database := range declared {
		running.Go(func() { found[i] = readDatabase(ctx, in, database) })
	}
	running.Wait()
	byName := map[string]Database{}
	for _, database := range found {
		byName[database.Declared.Name] = database
	}
	return byName
}

// readDatabase looks with a session of its own, which it closes: the one that
// watches a shift belongs to the shift. The observer's role must therefore be
// allowed two.
func readDatabase(ctx context.Context, in Inputs, declared release.Database) Database {
	database := Database{Declared: declared, Session: true, Pooler: pooler(ctx, in, declared)}
	target, err := postgres.Resolve(ctx, postgres.ResolveInput{
		Database: declared, Namespace: in.namespace(), Prometheus: in.Release.Spec.Metrics.Prometheus != nil,
		Kubernetes: in.Client.Kubernetes, Getenv: in.Getenv, DialPod: in.Client.DialPod,
	})
	if err != nil {
		database.Snapshot = notKnown[postgres.Snapshot](err)
		return database
	}
	database.Target = target.String()
	if !target.HasSession() {
		database.Session, database.Why = false, target.Why
		database.Snapshot = factOf(measure.CountConnections(ctx, in.Sources, declared.Name))
		return database
	}
	snapshot, err := look(ctx, in, target)
	database.Snapshot = factOf(snapshot, err)
	database.RoleFull = errors.Is(err, postgres.ErrRoleLimit)
	database.Exhausted = errors.Is(err, postgres.ErrTooManyConnections) && !database.RoleFull
	return database
}

func look(ctx context.Context, in Inputs, target postgres.Target) (postgres.Snapshot, error) {
	observer, err := postgres.Connect(ctx, target, in.Clock)
	if err != nil {
		return postgres.Snapshot{}, err
	}
	snapshot, err := observer.Snapshot(ctx)
	return snapshot, errors.Join(err, observer.Close())
}
