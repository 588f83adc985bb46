package faults

import (
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// Case is one fault that begins in one phase, and what is promised of it.
type Case struct {
	Fault Fault
	Phase rollout.Phase
	Row   Row
}

// Name says what it is, for people and for a record.
func (c Case) Name() string { return fmt.Sprintf("%s, in phase %s", c.Fault, c.Phase) }

// Command is what meets the fault.
func (c Case) Command() string {
	if c.Phase.Reverse() {
		return "rollback"
	}
	return "shift"
}

// Matrix is every fault in every phase that the table is about, the phases of
// the way back each behind one of the way there, so that little has to be
// moved in between.
func Matrix(rows []Row) []Case {
	var ahead, back []Case
	for _, found := range cases(rows, func(Fault, rollout.Phase) bool { return true }) {
		if found.Phase.Reverse() {
			back = append(back, found)
		} else {
			ahead = append(ahead, found)
		}
	}
	var mixed []Case
	for len(ahead) > 0 || len(back) > 0 {
		if len(ahead) > 0 {
			mixed, ahead = append(mixed, ahead[0]), ahead[1:]
		}
		if len(back) > 0 {
			mixed, back = append(mixed, back[0]), back[1:]
		}
	}
	return mixed
}

// Once is every fault in the midst of the watch, every fault of the API server at
// the switch, and the loss of each other dependency before anything is moved and on
// the way back, where other promises stand.
func Once(rows []Row) []Case {
	return cases(rows, func(fault Fault, phase rollout.Phase) bool {
		switch phase {
		case rollout.Watch:
			return true
		case rollout.Switch:
			return fault.Dependency == APIServer
		case rollout.Baseline, rollout.Revert:
			return fault.Dependency != APIServer && fault.Name == cutOff
		default:
			return false
		}
	})
}

// cases are those that are wanted, in the order of the table and of a run.
func cases(rows []Row, wanted func(Fault, rollout.Phase) bool) []Case {
	var found []Case
	for _, row := range rows {
		fault, known := find(row.Dependency, row.Fault)
		if !known {
			continue // Check tells
		}
		for _, phase := range row.Phases {
			if wanted(fault, phase) {
				found = append(found, Case{Fault: fault, Phase: phase, Row: row})
			}
		}
	}
	return found
}

// Group is cases that one shop carries out.
type Group struct {
	Name       string
	Dependency Dependency
	Cases      []Case
}

// Groups divides cases among shops that may work side by side: one for each
// dependency and stretch of a run. What harms everybody is left out, see
// [Everybody].
func Groups(cases []Case) []Group {
	var groups []Group
	for _, dependency := range Dependencies() {
		for _, stretch := range stretches {
			group := Group{Name: string(dependency) + ", " + stretch.name, Dependency: dependency}
			for _, found := range cases {
				if !found.Fault.Everybody && found.Fault.Dependency == dependency && slices.Contains(stretch.phases, found.Phase) {
					group.Cases = append(group.Cases, found)
				}
			}
			if len(group.Cases) > 0 {
				groups = append(groups, group)
			}
		}
	}
	return groups
}

// Everybody are the cases beside which nothing else may run.
func Everybody(cases []Case) []Case {
	return slices.DeleteFunc(slices.Clone(cases), func(found Case) bool { return !found.Fault.Everybody })
}
