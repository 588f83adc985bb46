package crash

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// one is every case of a run of so many points, and of another as long.
func one(length int) []Case {
	var forward, backward []Point
	for i := range length {
		forward = append(forward, Point{Kind: Save, What: fmt.Sprintf("forward %d", i)})
		backward = append(backward, Point{Kind: Save, What: fmt.Sprintf("backward %d", i)})
	}
	return Matrix(forward, backward)
}

// With 4 every point is killed once, and every side and way as often; with 8
// half of them are. With 1 nothing is left out.
func TestSample(t *testing.T) {
	for length := 1; length < 40; length++ {
		all := one(length)
		if got := Sample(all, 1); !cmp.Equal(all, got) {
			t.Errorf("%d of %d cases, want all", len(got), len(all))
		}
		for point, times := range kills(Sample(all, 4)) {
			if times != 1 {
				t.Errorf("%s is killed %d times", point, times)
			}
		}
		if got := kills(Sample(all, 4)); len(got) != 2*length {
			t.Errorf("%d points of %d are killed", len(got), 2*length)
		}
		if got := Sample(all, 8); len(got) < length-4 || len(got) > length+4 {
			t.Errorf("%d of %d cases, want an eighth", len(got), len(all))
		}
	}
	cells := map[string]int{}
	for _, found := range Sample(one(40), 4) {
		first := found.Steps[0]
		cells[fmt.Sprintf("%s %s, %s", first.Command, first.Kill.Landing, found.Steps[1].Command)]++
	}
	want := map[string]int{}
	for _, command := range []string{shift, rollback} {
		for _, landing := range []Landing{Before, After} {
			for _, way := range []string{resume, rollback} {
				want[fmt.Sprintf("%s %s, %s", command, landing, way)] = 10
			}
		}
	}
	if difference := cmp.Diff(want, cells); difference != "" {
		t.Error(difference)
	}
}
