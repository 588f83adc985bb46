package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// record is what a lab remembers about itself, in lab.json of its folder, for
// any later process to go on from.
type record struct {
	// Ready says that the lab came up as a whole.
	Ready bool `json:"ready"`
	// Owner is the process that the lab must not outlive, if there is one.
	Owner *process.Record `json:"owner,omitempty"`
	// Holder is the process that keeps the private mount namespace.
	Holder process.Record `json:"holder"`
	// Processes are the components' latest processes.
	Processes map[Component]process.Record `json:"processes"`
	// Arguments are the components' command lines.
	Arguments map[Component][]string `json:"arguments"`
	// Addons run beside the cluster.
	Addons []Addon `json:"addons"`
	// Audit says that the API server writes an audit log.
	Audit bool `json:"audit"`
}

// recordFile reads and writes a record; goroutines of one process take turns.
type recordFile struct {
	path  string
	mutex sync.Mutex
}

// read returns the record, an empty one if there is none.
func (f *recordFile) read() (record, error) {
	known := record{Processes: map[Component]process.Record{}, Arguments: map[Component][]string{}}
	content, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, fmt.Errorf("read lab record: %w", err)
	}
	if err := json.Unmarshal(content, &known); err != nil {
		return known, fmt.Errorf("read lab record %s: %w", f.path, err)
	}
	return known, nil
}

// update changes the record on disk, as a whole or not at all.
func (f *recordFile) update(change func(*record)) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	known, err := f.read()
	if err != nil {
		return err
	}
	change(&known)
	content, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return fmt.Errorf("write lab record: %w", err)
	}
	partial, err := os.CreateTemp(filepath.Dir(f.path), "lab.json.*")
	if err != nil {
		return fmt.Errorf("write lab record: %w", err)
	}
	_, err = partial.Write(content)
	if err := errors.Join(err, partial.Close(), os.Rename(partial.Name(), f.path)); err != nil {
		return fmt.Errorf("write lab record: %w", err)
	}
	return nil
}

// healthy reports whether the lab came up and every component still runs.
func (r record) healthy() bool {
	if !r.Ready || !r.Holder.Alive() || len(r.Processes) == 0 {
		return false
	}
	return len(r.dead()) == 0
}

// dead lists the components that ran and don't any more.
func (r record) dead() []Component {
	var dead []Component
	for component, process := range r.Processes {
		if !process.Alive() {
			dead = append(dead, component)
		}
	}
	slices.Sort(dead)
	return dead
}

// abandoned reports whether the process that the lab must not outlive is gone.
func (r record) abandoned() bool { return r.Owner != nil && !r.Owner.Alive() }
