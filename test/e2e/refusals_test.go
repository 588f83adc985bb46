package e2e

import (
	"sync"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// refusals are those of suites that run side by side.
type refusals struct {
	mutex sync.Mutex
	all   crash.Refusals
}

// add counts one case.
func (r *refusals) add(name string, refused bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.all.Add(name, refused)
}

// merge counts what a suite has counted.
func (r *refusals) merge(suite *crash.Suite) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.all.Merge(suite.Refusals())
}

// few fails the test where they are more than a suite may have.
func (r *refusals) few(t *testing.T) {
	t.Helper()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	t.Logf("in %d of %d cases a new connection was refused (%d permitted): %q", len(r.all.Refused), r.all.Cases, r.all.Permitted(), r.all.Refused)
	if err := r.all.Err(); err != nil {
		t.Error(err)
	}
}
