package shop

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Workers makes the [QuickRelease] one of workers, which take jobs from the queue in
// the shop's database and have no route: what the other kinds of route share out,
// the replicas of both colours do. The production Service is there all the same,
// and nobody looks at it.
func Workers(order string) func(*release.Release) {
	return func(document *release.Release) {
		weighted(document)
		spec := &document.Spec
		spec.Traffic.Workers = &release.WorkersRoute{Order: order}
		if order == release.OldFirst {
			spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(10 * time.Second)}}
		}
		spec.Validation.Synthetic = nil
	}
}

// TakesJobs is the environment in which a colour takes jobs: two at once, of 20 ms
// each, so that one pod bears what [Shop.Feed] is asked for in the tests.
func TakesJobs() map[string]string {
	return map[string]string{"JOB_TAKERS": "2", "JOB_TIME": "20ms"}
}
