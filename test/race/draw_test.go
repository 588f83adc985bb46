package race

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A seed gives the same races again, and another one others; an operator's are
// not a guard's.
func TestDrawIsRepeatable(t *testing.T) {
	for _, rival := range []Rival{Operator, Guard} {
		if difference := cmp.Diff(Draw(7, 3, rival), Draw(7, 3, rival)); difference != "" {
			t.Errorf("the same race twice:\n%s", difference)
		}
		for _, other := range []Race{Draw(8, 3, rival), Draw(7, 4, rival)} {
			if cmp.Equal(Draw(7, 3, rival).Asleep, other.Asleep) {
				t.Errorf("%s is drawn as %s", Draw(7, 3, rival), other)
			}
		}
	}
	if Draw(7, 3, Operator).Asleep == Draw(7, 3, Guard).Asleep {
		t.Error("an operator and a guard have the same race")
	}
}

// A hundred races of a kind hold everything that there is to draw, and sleep
// on both sides of the expiry.
func TestDrawsCoverTheExpiry(t *testing.T) {
	for _, rival := range []Rival{Operator, Guard} {
		seen := map[string]int{}
		for number := range 100 {
			drawn := Draw(1, number+1, rival)
			if drawn.Moment < 0 || drawn.Moment >= 1 {
				t.Errorf("%s: not within the run", drawn)
			}
			count(seen, drawn)
		}
		want := []string{"by the clock", "at a write", "early", "late", "a Job", "a person", "short", "long", "let go asleep", "let go awake"}
		if rival == Guard {
			want = append(want, "rollback", "hold", "continue")
		} else {
			want = append(want, resume, rollback, force, resume+resume, resume+rollback)
		}
		for _, what := range want {
			if seen[what] < 5 {
				t.Errorf("%s: %q is drawn %d times in 100", rival, what, seen[what])
			}
		}
	}
}

// count counts what a race is an example of.
func count(seen map[string]int, drawn Race) {
	tell := func(is bool, yes, no string) {
		if is {
			seen[yes]++
		} else {
			seen[no]++
		}
	}
	tell(drawn.Moment < 0.2, "early", "")
	tell(drawn.Moment > 0.8, "late", "")
	tell(drawn.AtWrite, "at a write", "by the clock")
	tell(drawn.Carries, "a Job", "a person")
	tell(drawn.Asleep-drawn.Delay < lease, "short", "long")
	tell(drawn.Held < drawn.Asleep, "let go asleep", "let go awake")
	others := string(drawn.Policy)
	for _, other := range drawn.Others {
		others += other
	}
	seen[others]++
}
