package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var schemaConfigMaps = schema.GroupResource{Resource: "configmaps"}

func TestAnArchiveOfManyChunks(t *testing.T) {
	p := newPlace(t)
	journal := p.journal()
	journal.chunkLimit = 64
	want := run(1)
	want.Release, want.Namespace, want.Epoch, want.Holder = "shop", "shop-ns", 3, "alice"
	for i := range 50 {
		want.Entries = append(want.Entries, Entry{Sequence: i, Time: start, Kind: Note, Message: fmt.Sprintf("%x", i*i*i*7919)})
	}
	if err := journal.archive(p.context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := journal.Get(p.context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Error(diff)
	}
	if runs, err := journal.List(p.context()); err != nil || len(runs) != 1 {
		t.Errorf("listed %d runs, %v", len(runs), err)
	}
	if err := p.server.CoreV1().ConfigMaps("shop-ns").Delete(p.context(), journal.chunkName(want.ID, 2), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Get(p.context(), want.ID); !apierrors.IsNotFound(err) {
		t.Errorf("a missing chunk gave %v", err)
	}
}

func TestTheLastTwentyRunsStay(t *testing.T) {
	p := newPlace(t)
	for i := range 23 {
		if err := p.acquire("alice", run(i), 0).Finish(p.context(), "done"); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := p.journal().List(p.context())
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != kept || runs[0].ID != run(22).ID || runs[kept-1].ID != run(3).ID {
		t.Errorf("%d runs, from %s to %s", len(runs), runs[0].ID, runs[len(runs)-1].ID)
	}
}

// TestAWholeArchiveStays: the next run begins for somebody who may make
// ConfigMaps and write to the current record alone, even where another version
// of the tool has put the archive in other words. Only a damaged one is
// written again.
func TestAWholeArchiveStays(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*testing.T, *corev1.ConfigMap)
		written bool
	}{
		"in the same words": {func(*testing.T, *corev1.ConfigMap) {}, false},
		"in other words":    {rephrase, false},
		"cut short":         {func(_ *testing.T, c *corev1.ConfigMap) { cut(c) }, true},
		"of an older epoch": {func(_ *testing.T, c *corev1.ConfigMap) { c.Annotations["bluegreen.dev/epoch"] = "0" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if err := p.acquire("alice", run(1), 0).Finish(p.context(), "done"); err != nil {
				t.Fatal(err)
			}
			archive := "bluegreen-shop-" + run(1).ID
			object := p.configMap(archive)
			test.change(t, object)
			if err := p.rewrite(object, "changed"); err != nil {
				t.Fatal(err)
			}
			p.acquire("bob", run(2), 0)
			if written := p.configMap(archive).ResourceVersion != "changed"; written != test.written {
				t.Errorf("the archive was written: %t, want %t", written, test.written)
			}
			if past, err := p.journal().Get(p.context(), run(1).ID); err != nil || past.Outcome != "done" {
				t.Errorf("the archive holds %+v, %v", past, err)
			}
		})
	}
}

// rephrase puts the same run in other words.
func rephrase(t *testing.T, object *corev1.ConfigMap) {
	t.Helper()
	text, err := unzip(object.BinaryData[keyChunk])
	if err != nil {
		t.Fatal(err)
	}
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := fmt.Fprintf(writer, "%s   ", text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	object.BinaryData[keyChunk] = compressed.Bytes()
}

func TestAnUnknownRunIsNotFound(t *testing.T) {
	if _, err := newPlace(t).journal().Get(context.Background(), "nothing"); !apierrors.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}

// damages are the ways in which a record, current or archived, can be such
// that it is not read.
func damages() map[string]func(*corev1.ConfigMap) {
	return map[string]func(*corev1.ConfigMap){
		"no version":      func(c *corev1.ConfigMap) { delete(c.Data, keyVersion) },
		"version 0":       func(c *corev1.ConfigMap) { c.Data[keyVersion] = "0" },
		"a newer version": func(c *corev1.ConfigMap) { c.Data[keyVersion] = "2" },
		"cut short":       func(c *corev1.ConfigMap) { cut(c) },
		"emptied":         func(c *corev1.ConfigMap) { delete(c.Data, keyRun); delete(c.BinaryData, keyChunk) },
		"another release": func(c *corev1.ConfigMap) {
			c.Data[keyRun] = `{"id":"x","release":"other"}`
			delete(c.BinaryData, keyChunk)
		},
		"an epoch by hand": func(c *corev1.ConfigMap) { c.Annotations["bluegreen.dev/epoch"] = "99"; cut(c) },
		"a wrong epoch":    func(c *corev1.ConfigMap) { c.Annotations["bluegreen.dev/epoch"] = "many"; cut(c) },
	}
}

// TestWhatIsDamagedIsRefused breaks the record, and the archive, in every way
// and sees that nothing is concluded from it and nothing written over it.
func TestWhatIsDamagedIsRefused(t *testing.T) {
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if err := p.acquire("alice", run(1), 0).Finish(p.context(), "done"); err != nil {
				t.Fatal(err)
			}
			objects := p.server.CoreV1().ConfigMaps("shop-ns")
			for _, name := range []string{"bluegreen-shop", "bluegreen-shop-" + run(1).ID} {
				object, err := objects.Get(p.context(), name, metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				damage(object)
				if _, err := objects.Update(p.context(), object, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			p.server.ClearActions()
			for what, err := range map[string]error{
				"current": second(p.journal().Current(p.context())),
				"list":    second(p.journal().List(p.context())),
				"get":     second(p.journal().Get(p.context(), run(1).ID)),
				"acquire": second(p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob"}, run(2))),
			} {
				var fault *RecordError
				if !errors.As(err, &fault) || !strings.Contains(err.Error(), "configmap shop-ns/bluegreen-shop") || release.HintOf(err) == "" {
					t.Errorf("%s gave %v", what, err)
				}
			}
			for _, action := range p.server.Actions() {
				if verb := action.GetVerb(); verb != "get" && verb != "list" {
					t.Errorf("there was a %s of %s", verb, action.GetResource().Resource)
				}
			}
		})
	}
}

// cut takes the second half of the record off.
func cut(object *corev1.ConfigMap) {
	if text, found := object.Data[keyRun]; found {
		object.Data[keyRun] = text[:len(text)/2]
		return
	}
	object.BinaryData[keyChunk] = object.BinaryData[keyChunk][:len(object.BinaryData[keyChunk])/2]
}

func second[T any](_ T, err error) error { return err }

// TestADamagedCurrentRunHidesNoPastOne: Get finds what is in the archive.
func TestADamagedCurrentRunHidesNoPastOne(t *testing.T) {
	p := newPlace(t)
	if err := p.acquire("alice", run(1), 0).Finish(p.context(), "done"); err != nil {
		t.Fatal(err)
	}
	p.damage(cut)
	if past, err := p.journal().Get(p.context(), run(1).ID); err != nil || past.Outcome != "done" {
		t.Errorf("got %+v, %v", past, err)
	}
	var fault *RecordError
	if _, err := p.journal().Get(p.context(), run(2).ID); !errors.As(err, &fault) {
		t.Errorf("a run that may be in the damaged record gave %v", err)
	}
}

// TestADamagedRunHidesNoOther: List tells what it can.
func TestADamagedRunHidesNoOther(t *testing.T) {
	p := newPlace(t)
	for i := range 3 {
		if err := p.acquire("alice", run(i), 0).Finish(p.context(), "done"); err != nil {
			t.Fatal(err)
		}
	}
	objects := p.server.CoreV1().ConfigMaps("shop-ns")
	object, err := objects.Get(p.context(), "bluegreen-shop-"+run(1).ID, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cut(object)
	if _, err := objects.Update(p.context(), object, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	runs, err := p.journal().List(p.context())
	if err == nil || len(runs) != 2 {
		t.Errorf("got %d runs, %v", len(runs), err)
	}
}
