package migration

import (
	"sync"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// part judges one section of a file.
type part struct {
	*walk
	file string
	// open is the transaction that is open, nil for none.
	open *transaction
	// message: the section is one message, so what stands outside of BEGIN and
	// COMMIT is in a transaction too.
	message bool
	// seen are the rules that speak once a section, and have.
	seen map[string]bool
	// dropped are the indexes that the section has dropped so far.
	dropped map[string]bool
	// number is the statement that is judged.
	number  int
	makings *makings
}

// statement judges one statement.
func (p *part) statement(read *statement.Statement) {
	teller := p.teller(read)
	p.problems = append(p.problems, teller.problems...)
	if !isTable(*read) {
		p.schema.mention(read.Text) // what code says before it makes a table counts as well
	}
	run := p.unfold(*read)
	ownMade := sync.OnceValue(func() map[making]maker { return p.makings.lastMade(run.changes) })
	for _, unread := range run.unread {
		teller.tell(unreadFinding(unread))
	}
	for number, change := range run.changes {
		scene := &scene{version: p.options.Version, schema: p.schema, session: p.session, statement: read, text: teller.text, change: change, dropped: p.dropped, transaction: p.open}
		scene.remadeLater = p.remadeLater(ownMade, number, change.Branch)
		for _, rule := range p.rules {
			if rule.Examine == nil {
				continue
			}
			for _, finding := range p.examine(rule, scene) {
				finding.Rule = rule.ID
				teller.tell(finding)
			}
		}
		p.happens(scene)
	}
	p.schema.mention(read.Text)
	teller.sum()
}

// isTable reports whether a statement makes a table, and does nothing else.
func isTable(read statement.Statement) bool {
	if len(read.Changes) != 1 {
		return false
	}
	_, is := read.Changes[0].Action.(statement.CreateTable)
	return is
}

// remadeLater looks for an object that is made by what is left of a statement's
// own changes, or of its transaction: surely, or in the same branch of code.
func (p *part) remadeLater(own func() map[making]maker, change int, branch statement.Position) func(key string) statement.Action {
	transaction, number := p.open, p.number
	return func(key string) statement.Action {
		if transaction != nil {
			if last := p.makings.made[making{transaction: p.makings.transactions[number], key: key}]; last.number > number {
				return last.action
			}
		}
		for _, where := range []statement.Position{branch, {}} {
			if last := own()[making{branch: where, key: key}]; last.number > change {
				return last.action
			}
		}
		return nil
	}
}

// happens records what a change leaves behind.
func (p *part) happens(scene *scene) {
	if p.open != nil {
		p.open.take(scene.locks())
		if action, adds := scene.change.Action.(statement.AddEnumValue); adds && !p.freshType(action.Type) {
			p.open.enums[action.Value] = true
		}
	}
	if !furnishes(scene.change.Action) {
		for _, taken := range scene.locks() {
			if taken.supposed {
				assign(p.schema.journal, &p.schema.record(nameOf(taken.table)).supposed, false)
			}
		}
	}
	if from, to := movedTable(scene.change.Action); from.Name != "" && p.open != nil && !scene.change.Conditional() {
		p.open.renamed(p.schema.key(from), p.schema.key(to))
	}
	switch action := scene.change.Action.(type) {
	case statement.Transaction:
		p.transact(action)
		p.undo.controls(action, p.message)
	case statement.Set:
		if p.open != nil || !action.Local { // outside of a transaction SET LOCAL does nothing
			p.session.set(action, scene.change.Conditional())
		}
	case statement.Drop:
		if action.Kind == "index" && !scene.change.Conditional() {
			put(p.schema.journal, p.dropped, p.schema.key(action.Name), true)
		}
	case statement.Rename:
		if _, viewed := scene.viewed(action.Object); viewed && action.Kind == "table" && !scene.change.Conditional() {
			p.schema.apply(scene.change)
			moved := p.schema.record(statement.Name{Schema: action.Object.Schema, Name: action.To})
			assign(p.schema.journal, &moved.behind, action.Object)
			return
		}
	}
	p.schema.apply(scene.change)
}

// begins is the transaction in which a statement is that follows a COMMIT.
func (p *part) begins() *transaction {
	if !p.message {
		return nil
	}
	implicit := newTransaction()
	implicit.implicit = true
	return implicit
}

func (p *part) freshType(name statement.Name) bool {
	return p.schema.made[objectKey("type", p.schema.key(name))]
}

func (p *part) transact(action statement.Transaction) {
	switch action.Kind {
	case statement.Begin:
		if p.open == nil || p.open.implicit {
			p.open = newTransaction()
		}
	case statement.Commit, statement.Rollback:
		p.open = p.begins()
		if action.Chain {
			p.open = newTransaction()
		}
		p.session.local = map[string]string{}
	}
}

// end judges what only shows at the end of a section: a transaction that is
// still open, a way back that is missing.
func (p *part) end(section dialect.Section, statements []statement.Statement) {
	if len(statements) == 0 {
		return
	}
	last := &statements[len(statements)-1]
	if p.open != nil && !p.open.whole && !p.open.implicit {
		p.teller(last).tell(openFinding(last.At))
	}
	first := &statements[0]
	if finding, wrong := downFinding(section, first.At); wrong {
		p.teller(first).tell(finding)
	}
}
