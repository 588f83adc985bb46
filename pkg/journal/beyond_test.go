package journal

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// older is the state of a runner that knows less than the one that wrote it.
type older struct {
	Phase  string            `json:"phase"`
	Moved  bool              `json:"moved,omitempty"`
	Inner  *olderInner       `json:"inner,omitempty"`
	Same   []olderInner      `json:"same,omitempty"`
	List   []olderInner      `json:"list,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

type olderInner struct {
	Name string `json:"name"`
}

// newer puts fields into the record that this version does not know.
func (p *place) newer(fields map[string]any) {
	p.t.Helper()
	p.damage(func(object *corev1.ConfigMap) {
		var record map[string]any
		if err := json.Unmarshal([]byte(object.Data[keyRun]), &record); err != nil {
			p.t.Fatal(err)
		}
		for name, value := range fields {
			record[name] = value
		}
		text, err := json.Marshal(record)
		if err != nil {
			p.t.Fatal(err)
		}
		object.Data[keyRun] = string(text)
		object.Data["readings.json"] = "[1]"
	})
}

// record is the current run's, as the cluster has it.
func (p *place) record() map[string]any {
	p.t.Helper()
	var record map[string]any
	if err := json.Unmarshal([]byte(p.configMap("bluegreen-shop").Data[keyRun]), &record); err != nil {
		p.t.Fatal(err)
	}
	return record
}

// TestWhatIsNotKnownIsKept: what a newer version has written into a record of
// this version is there after an older one has gone on with the run, and in the
// archive once it has ended; the next run does not inherit it.
func TestWhatIsNotKnownIsKept(t *testing.T) {
	p := left(t)
	p.newer(map[string]any{
		"approvals": []any{"ana"},
		"phase":     "watch",
		"entries":   []any{map[string]any{"sequence": 1, "time": start, "kind": "note", "message": "said", "span": "4bf92f35"}},
		// 2^53+1, which a float64 does not hold.
		"state":        json.RawMessage(`{"phase":"watch","pause":9007199254740993,"inner":{"name":"a","by":"bob"},"same":[{"name":"b","by":"bob"}],"list":[{"name":"c","by":"bob"}],"labels":{"x":"1"}}`),
		"lastSequence": 1,
	})
	tenure, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob"}, Run{ID: run(1).ID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tenure.stop() })
	state := older{}
	if err := json.Unmarshal(tenure.Run().State, &state); err != nil {
		t.Fatal(err)
	}
	state.Phase, state.Moved, state.List = "revert", true, []olderInner{{"d"}}
	if err := tenure.Save(p.context(), state, "revert", Entry{Kind: Transition, Action: "watch → revert"}); err != nil {
		t.Fatal(err)
	}
	delete(state.Labels, "x")
	state.Inner.Name = "e"
	if err := tenure.Save(p.context(), state, "revert"); err != nil {
		t.Fatal(err)
	}
	record := p.record()
	entries := record["entries"].([]any)
	for what, pair := range map[string][2]any{
		"the run":      {[]any{"ana"}, record["approvals"]},
		"an entry":     {"4bf92f35", entries[0].(map[string]any)["span"]},
		"the new ones": {2, len(entries)},
		"the phase":    {"revert", record["phase"]},
		"beside it":    {"[1]", p.configMap("bluegreen-shop").Data["readings.json"]},
		"the state": {
			`{"inner":{"by":"bob","name":"e"},"list":[{"name":"d"}],"moved":true,"pause":9007199254740993,"phase":"revert","same":[{"by":"bob","name":"b"}]}`,
			string(tenure.Run().State),
		},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	if err := tenure.Finish(p.context(), "rolled-back"); err != nil {
		t.Fatal(err)
	}
	past, err := p.journal().readArchive(p.context(), p.configMap("bluegreen-shop-"+run(1).ID))
	if err != nil || string(past.Beyond["approvals"]) != `["ana"]` || string(past.Entries[0].Beyond["span"]) != `"4bf92f35"` {
		t.Errorf("the archive has %v, %v", past, err)
	}
	p.acquire("bob", run(2), 0)
	if record, object := p.record(), p.configMap("bluegreen-shop"); record["approvals"] != nil || len(object.Data) != 2 {
		t.Errorf("the next run has %v in %d keys", record, len(object.Data))
	}
}

// TestAStateOfAnotherTypeIsReplaced: there is nothing to keep of it.
func TestAStateOfAnotherTypeIsReplaced(t *testing.T) {
	for _, last := range []string{"", "7", `{"phase":7}`, "[1]"} {
		text, err := carried(json.RawMessage(last), older{Phase: "watch"})
		if err != nil || string(text) != `{"phase":"watch"}` {
			t.Errorf("after %q: %s, %v", last, text, err)
		}
	}
	if text, err := carried(json.RawMessage(`{"a":1}`), nil); err != nil || string(text) != "null" {
		t.Errorf("no state: %s, %v", text, err)
	}
}

// TestAKnownFieldWins: what is known is never said twice.
func TestAKnownFieldWins(t *testing.T) {
	entry := Entry{Sequence: 1, Kind: Note, Beyond: map[string]json.RawMessage{"kind": []byte(`"other"`), "more": []byte("1")}}
	text, err := json.Marshal(entry)
	if want := `{"sequence":1,"time":"0001-01-01T00:00:00Z","kind":"note","more":1}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	entry.Beyond = map[string]json.RawMessage{"kind": []byte(`"other"`)}
	text, err = json.Marshal(entry)
	if want := `{"sequence":1,"time":"0001-01-01T00:00:00Z","kind":"note"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}
