package measure

import (
	"context"
	"testing"
)

// fixed answers the request rate of each colour with a fixed reading.
type fixed map[string]Reading

func (fixed) Name() string { return "fixed" }

func (f fixed) Answers(query Query) bool {
	_, found := f[query.Color]
	return found && query.Signal == RequestRate
}

func (f fixed) Read(_ context.Context, query Query) Reading { return f[query.Color] }

func TestTotal(t *testing.T) {
	reads := func(state State, value float64) Reading { return Reading{State: state, Value: value, Samples: value} }
	for name, test := range map[string]struct {
		source fixed
		want   State
		value  float64
	}{
		"both":                    {fixed{"blue": reads(OK, 30), "green": reads(OK, 70)}, OK, 100},
		"one has nothing to say":  {fixed{"blue": reads(NoData, 0), "green": reads(OK, 70)}, OK, 70},
		"none has anything":       {fixed{"blue": reads(NoData, 0), "green": reads(NoData, 0)}, NoData, 0},
		"half of it is not known": {fixed{"blue": reads(SourceDown, 0), "green": reads(OK, 70)}, SourceDown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sources := []Source{&total{sources: []Source{test.source}, colors: []string{"blue", "green"}}, test.source}
			got := Observe(t.Context(), sources, []Query{{Signal: RequestRate}})[0]
			if got.State != test.want || got.Value != test.value || got.Color != "" {
				t.Errorf("total = %s %v of %q, want %s %v of both", got.State, got.Value, got.Color, test.want, test.value)
			}
		})
	}
}

func TestTotalNeedsEveryColour(t *testing.T) {
	source := fixed{"blue": {State: OK}}
	whole := &total{sources: []Source{source}, colors: []string{"blue", "green"}}
	if whole.Answers(Query{Signal: RequestRate}) {
		t.Error("total answers though nothing can say anything of green")
	}
	if whole.Answers(Query{Signal: ErrorRatio}) {
		t.Error("total answers a ratio, which can't be added up")
	}
}
