package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

// makings are the objects that a section makes, and in which transaction: a
// change that takes one away needs to know whether it comes back in the same.
type makings struct {
	schema *schema
	// transactions number, for each statement, what ends together with it.
	transactions []int
	// made is the last statement that makes an object.
	made map[making]int
}

// making is an object that is made in a transaction, and, where code does it,
// in a branch of that.
type making struct {
	transaction int
	branch      statement.Position
	key         string
}

func (w *walk) makings(statements []statement.Statement) *makings {
	found := &makings{schema: w.schema, made: map[making]int{}}
	current := 0
	for number, read := range statements {
		found.transactions = append(found.transactions, current)
		for _, change := range read.Changes {
			if ends, is := change.Action.(statement.Transaction); is && (ends.Kind == statement.Commit || ends.Kind == statement.Rollback) {
				current++
			}
			if key := found.makes(change.Action); key != "" {
				found.made[making{transaction: current, key: key}] = number
			}
		}
	}
	return found
}

// lastMade is, for each object that changes make, the last that does.
func (m *makings) lastMade(changes []statement.Change) map[making]int {
	last := map[making]int{}
	for number, change := range changes {
		if key := m.makes(change.Action); key != "" {
			last[making{branch: change.Branch, key: key}] = number
		}
	}
	return last
}

// makes is the object that an action makes, "" for none.
func (m *makings) makes(action statement.Action) string {
	switch made := action.(type) {
	case statement.CreateView:
		return objectKey("view", m.schema.key(made.Name))
	case statement.CreateFunction:
		return objectKey("function", m.schema.key(made.Name))
	case statement.CreateTrigger:
		return objectKey("trigger", m.schema.key(statement.Name{Name: made.Name}))
	case statement.Policy:
		return objectKey("policy", m.schema.key(statement.Name{Name: made.Name}))
	}
	return ""
}
