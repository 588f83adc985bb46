package lab

import (
	"fmt"
	"slices"
)

// Status is what is known of a lab without asking it.
type Status struct {
	// Name is the lab's name.
	Name string
	// State is "up", "damaged", "abandoned" or "left over".
	State string
	// Dead are the components that ran and don't any more.
	Dead []Component
	// Addons run beside the cluster.
	Addons []Addon
}

// Inspect says how the labs of this machine are, by name.
func Inspect() ([]Status, error) {
	names, err := Names()
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Status
	for _, name := range names {
		where, err := newLayout(name)
		if err != nil {
			continue
		}
		known, err := open(where).record.read()
		if err != nil {
			return nil, fmt.Errorf("inspect lab %s: %w", name, err)
		}
		all = append(all, Status{Name: name, State: known.state(), Dead: known.dead(), Addons: known.Addons})
	}
	return all, nil
}

// state puts a record in a word.
func (r record) state() string {
	switch {
	case r.abandoned():
		return "abandoned"
	case r.healthy():
		return "up"
	case r.Ready && r.Holder.Alive():
		return "damaged"
	default:
		return "left over"
	}
}
