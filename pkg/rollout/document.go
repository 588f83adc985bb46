package rollout

import (
	"fmt"
	"strings"
)

// Document is docs/states.md: the machine's table for people, generated so
// that it can't go stale.
func Document() string {
	text := strings.Builder{}
	text.WriteString(`# The states of a run

<!-- generated from pkg/rollout; go test ./pkg/rollout -update rewrites it -->

A run is a state machine. Up to baseline a failure leads to blocked; from hold-floor on, where the record says that
traffic may move, every failure of a forward phase leads to revert, or, with gates.onFailure: freeze, to held: then
only a person goes back. An emergency stop leads to blocked up to baseline and to revert after it, whatever
gates.onFailure says. An interruption, a lost lease or a foreign edit of the route leads to held, from where resume or rollback goes
on. In hold and watch, a rollback rule that fires is a failure; a source that is silent longer than
gates.sourceDown.deadline ends as gates.sourceDown.policy says; an advance rule that still fails when that time has
passed after the hold is a failure. What is nobody's verdict on the release sends nothing back by itself: requests that
have not followed the switch lead to held, and so does a deadline that passes while nothing can be seen, unless
gates.sourceDown.policy is rollback. A step that gives everything to the target is not held but watched; the hold of a
lesser step, and of a preview, leads to the switch of the next. What is open at the end of drain, other than requests
that go on, is told with traffic.drain: auto, and leads to give-back.

A finish is a run of its own, of quiet and decommission. It moves no traffic, so a stop or a failure in quiet ends it,
and a failure in decommission holds it. Another finish, or resume, begins with quiet again: what was true when it was
cut off need not be true any more.

| Phase | What it does | Deadline | Then | On failure | From |
|---|---|---|---|---|---|
`)
	for _, rule := range Phases() {
		if rule.Phase.Terminal() {
			continue
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s |\n", rule.Phase, rule.Does, rule.DeadlineField, rule.OnSuccess, rule.OnFailure, rule.Source)
	}
	text.WriteString("\n| End | What it means | Exit code |\n|---|---|---|\n")
	for _, rule := range Phases() {
		if !rule.Phase.Terminal() {
			continue
		}
		code := fmt.Sprint(outcomeOf(State{Phase: rule.Phase}).Code)
		if rule.Phase == RolledBack {
			code += ", or 0 when a person asked for it"
		}
		fmt.Fprintf(&text, "| %s | %s | %s |\n", rule.Phase, rule.Does, code)
	}
	text.WriteString(strings.ReplaceAll(recordDocument, `"`, "`"))
	text.WriteString(`
## What always holds

The machine is explored by the tests of pkg/rollout: from every state that a run can come to, with everything that can
be seen there, just before, at and past every deadline, by a release of one step, one of two and one of a step behind a
preview, with each gates.onFailure and each gates.sourceDown.policy, and with a person who goes on or back at any time.
Nothing breaks these invariants, and for each there is a machine with a fault in it that does.

| Invariant | Says |
|---|---|
`)
	for _, invariant := range Invariants() {
		fmt.Fprintf(&text, "| %s | %s |\n", invariant.Name, invariant.Statement)
	}
	return text.String()
}

// recordDocument says what becomes of a record that is of no use.
const recordDocument = `
## A record that can't be read

The record of the current run is the ConfigMap bluegreen-RELEASE. Nothing is ever guessed from one that is damaged, or
that a newer version has written, and no state needs it to be repaired or deleted by hand.

- A run whose record is made unreadable under it goes on: while the lease is its own it keeps what it finds as the
  ConfigMap bluegreen-RELEASE-unreadable-HASH, and writes anew what it knows.
- "rollback" keeps it so too, and gives back what was moved. Where the newest past run is also the last that has stamped
  the objects, that one is gone back from as ever. Where a run has come after it, the route tells: one that was moved since
  goes back to where it came from. One that was not is refused, for the side before that may have been given a version
  that nobody has validated; "rollback --force" goes there all the same, unless a run was rolled back from it. Where there
  is no past run, or no record at all, the route alone is gone by.
- "shift" and "resume" refuse. "shift --set-record-aside" keeps it so too and begins anew, where one side has everything.
`
