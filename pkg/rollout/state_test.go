package rollout

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// TestTheStateOfARecordOfVersion1: the state in the journal's record of version 1
// is known to the last field, and written again as it was. In that record every
// field has a value that is not its zero.
func TestTheStateOfARecordOfVersion1(t *testing.T) {
	text, err := os.ReadFile("../journal/testdata/record-v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	object, run, state := corev1.ConfigMap{}, journal.Run{}, State{}
	if err := yaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(object.Data["run.json"]), &run); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(run.State))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&state); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(run.State), string(again)); diff != "" {
		t.Error(diff)
	}
	if state.Phase != Held || state.Resume != Watch || !state.Moved || state.Reason == "" || len(state.Because) != 1 {
		t.Errorf("read %+v", state)
	}
	if outcome, ended, err := EndOf(run); err != nil || !ended || outcome.Code != CodeHeld {
		t.Errorf("it ended with %+v, %v, %v", outcome, ended, err)
	}
}

// TestRollbackKeepsWhatANewerVersionWrote: a rollback with an older binary goes on
// with the run of a newer one, and writes down what it does without losing what it
// does not know.
func TestRollbackKeepsWhatANewerVersionWrote(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q", From: "blue", To: "green"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tenure.Save(t.Context(), at(Watch, moved, cutover), string(Watch)); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := runner.Client.Kubernetes.CoreV1().ConfigMaps("shop")
	record, err := records.Get(t.Context(), "bluegreen-shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.NewReplacer(`"state":{`, `"approvals":["ana"],"state":{"pauses":3,`, `"gate":{}`, `"gate":{"votes":2}`)
	record.Data["run.json"] = newer.Replace(record.Data["run.json"])
	if _, err := records.Update(t.Context(), record, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" || outcome.Status.ID != "20261122-153012-k7f3q" {
		t.Fatalf("outcome = %+v, %v with route %s", outcome, err, production.Split)
	}
	if record, err = records.Get(t.Context(), "bluegreen-shop", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"approvals":["ana"]`, `"pauses":3`, `"votes":2`, `"phase":"rolled-back"`} {
		if !strings.Contains(record.Data["run.json"], want) {
			t.Errorf("the record has no %s:\n%s", want, record.Data["run.json"])
		}
	}
}
