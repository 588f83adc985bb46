package traffic

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func shopServices() colorServices { return colorServices{"blue": "svc-blue", "green": "svc-green"} }

// list is a pool of Services and weights, in turn.
func list(name string, entries ...any) pool {
	one := pool{name: name}
	for i := 0; i < len(entries); i += 2 {
		one.backends = append(one.backends, backend{service: entries[i].(string), weight: int64(entries[i+1].(int))})
	}
	return one
}

func weightsOf(pools []pool) [][]int64 {
	var all [][]int64
	for _, one := range pools {
		var weights []int64
		for _, entry := range one.backends {
			weights = append(weights, entry.weight)
		}
		all = append(all, weights)
	}
	return all
}

func TestSplitIsReadOutOfWeights(t *testing.T) {
	chosen := list("rule 2", "svc-green", 1)
	chosen.chosen = true
	for name, c := range map[string]struct {
		pools []pool
		want  string
		says  string
	}{
		"everything to one":         {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 0)}, want: "blue=100"},
		"shared":                    {pools: []pool{list("rule 1", "svc-blue", 3, "svc-green", 1)}, want: "blue=75,green=25"},
		"with others":               {pools: []pool{list("rule 1", "mirror", 10, "svc-blue", 45, "svc-green", 45)}, want: "blue=50,green=50"},
		"hardly anything is not 0":  {pools: []pool{list("rule 1", "svc-blue", 999999, "svc-green", 1)}, want: "blue=99,green=1"},
		"two rules agree":           {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 1), list("rule 2", "svc-green", 50, "svc-blue", 50)}, want: "blue=50,green=50"},
		"a rule of somebody else":   {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 0), list("rule 2", "checkout", 1)}, want: "blue=100"},
		"a colour by a header":      {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 0), chosen}, want: "blue=100"},
		"two rules disagree":        {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 0), list("rule 2", "svc-blue", 0, "svc-green", 1)}, says: "rule 1 is blue=100 and rule 2 is green=100: " + ErrNoColor.Error()},
		"a rule that would be left": {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 0), list("rule 2", "svc-blue", 1)}, says: "rule 2 has no backend for green (service svc-green), so its requests would never move"},
		"a colour that is twice":    {pools: []pool{list("rule 1", "svc-blue", 1, "svc-green", 0, "svc-blue", 1)}, says: "service svc-blue stands twice in rule 1: " + ErrNoColor.Error()},
		"nothing to either":         {pools: []pool{list("rule 1", "svc-blue", 0, "svc-green", 0)}, says: "rule 1 gives nothing to blue and green: " + ErrNoColor.Error()},
		"no colour at all":          {pools: []pool{list("rule 1", "checkout", 1)}, says: "no part of it leads to service svc-blue and to service svc-green: " + ErrNoColor.Error()},
		"no list at all":            {says: "no part of it leads to service svc-blue and to service svc-green: " + ErrNoColor.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			split, err := shopServices().split(c.pools)
			if c.says != "" {
				if err == nil || err.Error() != c.says || !errors.Is(err, ErrNoColor) {
					t.Fatalf("err = %v, want %q", err, c.says)
				}
				return
			}
			if err != nil || split.String() != c.want {
				t.Errorf("split = %s, %v, want %s", split, err, c.want)
			}
		})
	}
}

func TestWeightsOfASplit(t *testing.T) {
	for name, c := range map[string]struct {
		pools  []pool
		to     Split
		scale  int64
		want   [][]int64
		factor int64
	}{
		"everything":                       {[]pool{list("r", "svc-blue", 1, "svc-green", 0)}, Whole("green"), 1, [][]int64{{0, 1}}, 1},
		"half of one":                      {[]pool{list("r", "svc-blue", 1, "svc-green", 0)}, Between("green", "blue", 50), 1, [][]int64{{1, 1}}, 2},
		"a hundredth of one":               {[]pool{list("r", "svc-blue", 1, "svc-green", 0)}, Between("green", "blue", 1), 1, [][]int64{{99, 1}}, 100},
		"percent stay percent":             {[]pool{list("r", "svc-blue", 100, "svc-green", 0)}, Between("green", "blue", 30), 1, [][]int64{{70, 30}}, 1},
		"others keep their share":          {[]pool{list("r", "svc-blue", 90, "mirror", 10, "svc-green", 0)}, Between("green", "blue", 50), 1, [][]int64{{45, 10, 45}}, 1},
		"others grow with the rest":        {[]pool{list("r", "svc-blue", 1, "mirror", 1, "svc-green", 0)}, Between("green", "blue", 25), 1, [][]int64{{3, 4, 1}}, 4},
		"taken back at the end":            {[]pool{list("r", "svc-blue", 3, "mirror", 4, "svc-green", 1)}, Whole("green"), 4, [][]int64{{0, 1, 1}}, 1},
		"from step to step":                {[]pool{list("r", "svc-blue", 3, "mirror", 4, "svc-green", 1)}, Between("green", "blue", 50), 4, [][]int64{{1, 2, 1}}, 2},
		"somebody else's weight":           {[]pool{list("r", "svc-blue", 3, "mirror", 5, "svc-green", 1)}, Whole("green"), 4, [][]int64{{0, 5, 4}}, 1},
		"one factor for all":               {[]pool{list("r", "svc-blue", 1, "svc-green", 0), list("s", "svc-blue", 2, "svc-green", 0)}, Between("green", "blue", 50), 1, [][]int64{{1, 1}, {2, 2}}, 2},
		"a scale that makes no sense":      {[]pool{list("r", "svc-blue", 2, "svc-green", 2)}, Whole("blue"), -3, [][]int64{{4, 0}}, 1},
		"a scale that is too big for them": {[]pool{list("r", "svc-blue", 2, "svc-green", 2)}, Whole("blue"), 3, [][]int64{{4, 0}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			weighed, factor, err := shopServices().weigh(c.pools, c.to, c.scale)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, weightsOf(weighed)); diff != "" || factor != c.factor {
				t.Errorf("factor %d, want %d; weights (-want +got):\n%s", factor, c.factor, diff)
			}
		})
	}
}

// Whatever weights a route has and whatever steps it goes through: what is
// written reads as what was asked for, others keep their share of all, and
// everything back is the weights that there were.
func TestStepsKeepWhatIsNotTheirs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		colors := shopServices()
		var pools []pool
		for range rapid.IntRange(1, 3).Draw(t, "lists") {
			one := list("rule", "svc-blue", rapid.IntRange(1, 300).Draw(t, "blue"), "svc-green", 0)
			for range rapid.IntRange(0, 2).Draw(t, "others") {
				one.backends = append(one.backends, backend{service: "other", weight: rapid.Int64Range(0, 50).Draw(t, "other")})
			}
			pools = append(pools, one)
		}
		now, scale := pools, int64(1)
		for _, weight := range rapid.SliceOfN(rapid.IntRange(1, 100), 1, 4).Draw(t, "steps") {
			to := Between("green", "blue", weight)
			next, factor, err := colors.weigh(now, to, scale)
			if err != nil {
				t.Fatal(err)
			}
			if split, err := colors.split(next); err != nil || !split.Equal(to) {
				t.Fatalf("%v reads as %s, %v, not %s", weightsOf(next), split, err, to)
			}
			for i := range next {
				for at, entry := range next[i].backends {
					if was := pools[i].backends[at]; entry.service == "other" && entry.weight*total(pools[i]) != was.weight*total(next[i]) {
						t.Fatalf("other has %d of %d, and had %d of %d", entry.weight, total(next[i]), was.weight, total(pools[i]))
					}
				}
			}
			now, scale = next, factor
		}
		back, factor, err := colors.weigh(now, Whole("blue"), scale)
		if err != nil || factor != 1 {
			t.Fatalf("factor %d, %v", factor, err)
		}
		if diff := cmp.Diff(weightsOf(pools), weightsOf(back)); diff != "" {
			t.Fatalf("back (-before +after):\n%s", diff)
		}
	})
}

func total(one pool) int64 {
	sum := int64(0)
	for _, entry := range one.backends {
		sum += entry.weight
	}
	return sum
}
