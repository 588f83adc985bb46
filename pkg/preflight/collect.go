package preflight

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// collectDeadline bounds each collector; what it has not found out by then is
// unknown.
const collectDeadline = 15 * time.Second

// Inputs are what Collect needs.
type Inputs struct {
	Client  *cluster.Client
	Release *release.Release
	// Document is the file of the Release and Positions what stands where in
	// it; "" and nil where it comes from elsewhere.
	Document  string
	Positions release.Positions
	// Manifests are the files of each colour, resolved against the
	// document (release.Loaded.Manifests); StagePR reads workloads from
	// them.
	Manifests map[string][]string
	// Migrations are the files and directories of each database's migrations,
	// resolved likewise (release.Loaded.Migrations).
	Migrations map[string][]string
	// Custom are the checks of release.Loaded.DeclaredChecks.
	Custom []release.DeclaredCheck
	// Live is what the cluster tells of the workloads beside the manifests;
	// only Rights looks at it.
	Live Live
	// Target is the colour that is to get the traffic; "" for the one that
	// is not live.
	Target string
	// Sources are the release's sources of readings.
	Sources []measure.Source
	// Stage: at StagePR nothing is dialled and no Secret is read, since the
	// Release may come from anybody.
	Stage Stage
	// RolledBack reads the last run, where it was rolled back; nil for any other,
	// and as a whole where nobody keeps runs.
	RolledBack func(context.Context) (*RolledBack, error)
	// Getenv reads the environment of the process that runs the tool.
	Getenv func(string) string
	Clock  clock.Clock

	// served are the kinds of layers that the cluster serves, once they were asked
	// for; nil asks each time.
	served func() map[string]servedLayer
	// placed is where the databases are, by their names, once that was asked for;
	// nil asks each time.
	placed func() map[string]postgres.Login
}

// databasePlaces is where the databases are, by their names.
func (in Inputs) databasePlaces(ctx context.Context) map[string]postgres.Login {
	if in.Stage == StagePR { // where no connection string is read
		return nil
	}
	if in.placed != nil {
		return in.placed()
	}
	return placesOf(ctx, in)
}

// servedLayers are the kinds of layers that the cluster serves.
func (in Inputs) servedLayers(ctx context.Context) map[string]servedLayer {
	if in.served != nil {
		return in.served()
	}
	return discoverLayers(ctx, in)
}

// discoveryOf asks what the cluster serves.
func discoveryOf(in Inputs) discovery.ServerResourcesInterfaceWithContext {
	return discovery.ToDiscoveryInterfaceWithContext(in.Client.Kubernetes.Discovery())
}

func (in Inputs) namespace() string {
	if in.Release.Metadata.Namespace != "" {
		return in.Release.Metadata.Namespace
	}
	if in.Client != nil {
		return in.Client.Namespace
	}
	return ""
}

// Collect reads what the checks look at, in parallel, each collector under a
// deadline of its own. It never fails: what could not be read is a fact that
// is not known.
func Collect(ctx context.Context, in Inputs) *Facts {
	facts := begun(in)
	facts.Manifests, facts.Places = manifestObjects(in), places(in)
	facts.ManifestMistakes = manifestMistakes(in)
	facts.Migrations = judgedMigrations(in)
	if in.Stage == StagePR {
		collectManifests(in, facts)
		collectManifestPools(ctx, in, facts)
		facts.Settings = settings(ctx, in, facts)
		return facts
	}
	in.served = sync.OnceValue(func() map[string]servedLayer {
		ctx, cancel := context.WithTimeout(ctx, collectDeadline)
		defer cancel()
		return discoverLayers(ctx, in)
	})
	in.placed = sync.OnceValue(func() map[string]postgres.Login {
		ctx, cancel := context.WithTimeout(ctx, collectDeadline)
		defer cancel()
		return placesOf(ctx, in)
	})
	collectTarget(ctx, in, facts)
	parallel(ctx,
		func(ctx context.Context) { collectColors(ctx, in, facts) },
		func(ctx context.Context) { facts.DryRun, facts.DryRunRefused = dryRun(ctx, in, facts) },
		func(ctx context.Context) { facts.DryApply, facts.DryApplyRefused = dryApply(ctx, in, facts) },
		func(ctx context.Context) { facts.Access = access(ctx, in) },
		func(ctx context.Context) { facts.DestinationRules = destinationRules(ctx, in) },
		func(ctx context.Context) { facts.Autoscalers = autoscalers(ctx, in) },
		func(ctx context.Context) { facts.Disruption = disruptionBudgets(ctx, in) },
		func(ctx context.Context) { facts.Quotas = quotas(ctx, in) },
		func(ctx context.Context) { facts.LimitRanges = limitRanges(ctx, in) },
		func(ctx context.Context) { facts.NetworkPolicies = networkPolicies(ctx, in) },
		func(ctx context.Context) { facts.Services = factOf(traffic.Entrances(ctx, in.Client, in.namespace())) },
		func(ctx context.Context) { facts.RolledBack = rolledBack(ctx, in, facts) },
		func(ctx context.Context) { facts.Nodes = nodes(ctx, in) },
		func(ctx context.Context) { facts.Databases = databases(ctx, in) },
		func(ctx context.Context) { facts.Monitoring = monitoring(ctx, in) },
		func(ctx context.Context) { facts.Logs = logs(ctx, in) },
		func(ctx context.Context) { facts.Dashboards = dashboards(ctx, in) },
		func(ctx context.Context) { facts.SignOffs = signOffs(ctx, in) },
	)
	after := []func(context.Context){func(ctx context.Context) { facts.Nodes = room(ctx, in, facts) }}
	if in.Stage == StageDeploy { // a rollback is judged by none of these
		after = append(after,
			func(ctx context.Context) { facts.Jobs = jobs(ctx, in, facts) },
			func(ctx context.Context) { facts.Layers = layers(ctx, in, facts) },
			func(ctx context.Context) { facts.Settings = settings(ctx, in, facts) },
		)
	}
	parallel(ctx, after...)
	facts.Images = images(facts)
	return facts
}

// begun are facts before anything was read.
func begun(in Inputs) *Facts {
	facts := &Facts{
		Time: in.Clock.Now(), Stage: in.Stage, Release: in.Release, Custom: in.Custom, Namespace: in.namespace(),
		Target: in.Target, Colors: map[string]Color{}, Databases: map[string]Database{},
	}
	for name, declared := range in.Release.Spec.Colors {
		facts.Colors[name] = Color{Name: name, Declared: declared}
	}
	return facts
}

// collectTarget reads the route, from which the target follows where none was
// asked for.
func collectTarget(ctx context.Context, in Inputs, facts *Facts) {
	collectRoute(ctx, in, facts)
	if facts.Target == "" {
		facts.Target = in.Release.Spec.Other(facts.Route.Value.Live)
	}
}

// parallel runs collectors at once, each with a deadline; each writes a field
// of its own.
func parallel(ctx context.Context, collectors ...func(context.Context)) {
	var running sync.WaitGroup
	for _, collect := range collectors {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, collectDeadline)
			defer cancel()
			collect(ctx)
		})
	}
	running.Wait()
}
