package journal

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TestARecordOfVersion1 holds what is read and written against a record as
// version 1 was written first. The file is never made anew: clusters hold such
// records. A test of the runner reads the state in it.
func TestARecordOfVersion1(t *testing.T) {
	text, err := os.ReadFile("testdata/record-v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	object := &corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict(text, object); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	if _, err := p.server.CoreV1().ConfigMaps("shop-ns").Create(p.context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	current, err := p.journal().Current(p.context())
	if err != nil {
		t.Fatal(err)
	}
	if current.ID != "20261122-153012-k7f3q" || current.Holder != "ana@laptop/4711" || current.Epoch != 7 || current.From != "blue" || current.To != "green" ||
		current.Phase != "held" || current.Outcome != "" || !current.Started.Equal(time.Date(2026, 11, 22, 15, 30, 12, 0, time.UTC)) || string(current.Document) != "kind: Release\n" ||
		current.LastSequence != 5 || len(current.Entries) != 5 || len(current.Beyond) != 0 {
		t.Errorf("read %+v", current)
	}
	for i, kind := range []Kind{Intent, Result, Transition, Decision, Note} {
		if entry := current.Entries[i]; entry.Kind != kind || entry.Sequence != i+1 || len(entry.Beyond) != 0 {
			t.Errorf("entry %d is %+v", i, entry)
		}
	}
	again, err := p.journal().encodeCurrent(p.configMap("bluegreen-shop"), *current)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]map[string]string{
		"the record": {object.Data, again.Data}, "its stamp": {object.Annotations, again.Annotations}, "its labels": {object.Labels, again.Labels},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// TestAnUnknownVersionIsSaid: a record is of a version that is known, or nothing
// is read out of it, whatever it looks like.
func TestAnUnknownVersionIsSaid(t *testing.T) {
	for version, want := range map[string]struct{ says, hint string }{
		"2":   {"it has version 2, and this tool knows up to 1", "use the version of kubectl bluegreen that wrote it, or a newer one"},
		"1.1": {"it has version 1.1, and this tool knows up to 1", "use the version of kubectl bluegreen that wrote it, or a newer one"},
		"v1":  {"it has version v1, and this tool knows up to 1", "use the version of kubectl bluegreen that wrote it, or a newer one"},
		"0":   {"it has version 0", "to go back: kubectl bluegreen rollback; where"},
		"":    {"it has no version", "to go back: kubectl bluegreen rollback; where"},
	} {
		p := left(t)
		before := p.damage(func(object *corev1.ConfigMap) { object.Data[keyVersion] = version })
		run, err := p.journal().Current(p.context())
		var unreadable *RecordError
		if run != nil || !errors.As(err, &unreadable) || unreadable.Reason != want.says || !strings.HasPrefix(release.HintOf(err), want.hint) {
			t.Errorf("version %q: %+v, %v (%s)", version, run, err, release.HintOf(err))
		}
		if _, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob"}, Run{ID: "20261122-153013-aaaaa"}); !errors.As(err, &unreadable) {
			t.Errorf("version %q: a run began, or %v", version, err)
		}
		if diff := cmp.Diff(before, p.configMap("bluegreen-shop")); diff != "" {
			t.Errorf("version %q: the record was changed: %s", version, diff)
		}
	}
}
