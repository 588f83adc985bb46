package preflight

import (
	"context"
	"maps"
	"slices"
)

// collectManifestPools finds what the manifests of each colour ask of the databases:
// its pools, its autoscalers, and the Jobs and CronJobs that it brings.
func collectManifestPools(ctx context.Context, in Inputs, facts *Facts) {
	for name, color := range facts.Colors {
		color.Pools = pools(ctx, in, color.Workloads.Value, readOnce(ctx, in, facts, name))
		unpatched(facts, color)
		plan(&color, in.Manifests[name])
		facts.Colors[name] = color
	}
	facts.Jobs = manifestJobs(ctx, in, facts)
}

// manifestJobs are those of both colours' manifests that use a database of the release,
// each once, whichever colours bring it.
func manifestJobs(ctx context.Context, in Inputs, facts *Facts) Fact[[]Job] {
	var met []jobTemplate
	found := []Job{}
	for _, color := range slices.Sorted(maps.Keys(facts.Colors)) {
		coming, err := jobsToCome(in, color, met)
		if err != nil {
			return notKnown[[]Job](err)
		}
		met = append(met, coming...)
		reader := jobReader{in: in, lookup: readOnce(ctx, in, facts, color).lookup(), colors: colorTemplates(facts)}
		for _, candidate := range coming {
			if candidate.Pods > 0 && reader.uses(ctx, &candidate) {
				found = append(found, candidate.Job)
			}
		}
	}
	return known(found)
}
