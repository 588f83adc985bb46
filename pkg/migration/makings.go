package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

// makings are the objects that a section makes, and in which transaction: a
// change that takes one away needs to know whether it comes back in the same.
type makings struct {
	schema *schema
	// transactions number, for each statement, what ends together with it.
	transactions []int
	// made is the last that makes an object, by the numbers of the statements.
	made map[making]maker
}

// maker is what makes an object, and its number in what it is one of.
type maker struct {
	number int
	action statement.Action
}

// making is an object that is made in a transaction, and, where code does it,
// in a branch of that.
type making struct {
	transaction int
	branch      statement.Position
	key         string
}

func (w *walk) makings(statements []statement.Statement) *makings {
	found := &makings{schema: w.schema, made: map[making]maker{}}
	current := 0
	for number, read := range statements {
		found.transactions = append(found.transactions, current)
		for _, change := range read.Changes {
			if ends, is := change.Action.(statement.Transaction); is && (ends.Kind == statement.Commit || ends.Kind == statement.Rollback) {
				current++
			}
			for _, key := range found.makes(change.Action) {
				found.made[making{transaction: current, key: key}] = maker{number: number, action: change.Action}
			}
		}
	}
	return found
}

// lastMade is, for each object that changes make, the last that does.
func (m *makings) lastMade(changes []statement.Change) map[making]maker {
	last := map[making]maker{}
	for number, change := range changes {
		for _, key := range m.makes(change.Action) {
			last[making{branch: change.Branch, key: key}] = maker{number: number, action: change.Action}
		}
	}
	return last
}

// makes are the keys of the object that an action makes, none where it makes
// none: a function is also spoken of by its name alone.
func (m *makings) makes(action statement.Action) []string {
	switch made := action.(type) {
	case statement.CreateView:
		return []string{m.schema.named(statement.Object{Kind: "view", Name: made.Name})}
	case statement.CreateFunction:
		return []string{m.schema.named(made.Named()), m.schema.named(statement.Object{Kind: made.Kind, Name: made.Name})}
	case statement.CreateTrigger:
		return []string{m.schema.named(statement.Object{Kind: "trigger", Name: statement.Name{Name: made.Name}})}
	case statement.Policy:
		return []string{m.schema.named(statement.Object{Kind: "policy", Name: statement.Name{Name: made.Name}})}
	}
	return nil
}
