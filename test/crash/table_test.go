package crash

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A table tells every kill with what became of it, a failure above all.
func TestTable(t *testing.T) {
	begin, prove := Point{Kind: Begin}, Point{Kind: Transition, What: "switch → prove"}
	chain := Case{Steps: []Step{killed(shift, begin, After), killed(resume, prove, After), undisturbed(resume)}}
	back := Case{Steps: []Step{killed(shift, prove, Before), killed(rollback, begin, After), undisturbed(rollback)}}
	out := Case{Steps: []Step{killed(rollback, begin, Before), undisturbed(rollback)}}
	got := Table([]Outcome{{Case: chain}, {Case: back, Err: errors.New("lost")}, {Case: chain}, {Case: out, Err: errors.New("never came"), Missed: true}})
	want := `| Run | Killed at | before it lands, then rollback | after it lands, then resume | after it lands, then rollback |
|---|---|---|---|---|
| shift | begin | – | converged | – |
| shift | transition switch → prove | FAILED | converged | – |
| rollback | begin | missed | – | FAILED |
`
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
