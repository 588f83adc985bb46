package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// ActionSetAside is the action of the first entry of a run that began in the
// place of a record which could not be read: its object is where that record
// is kept, its message why it could not be read.
const ActionSetAside = "set aside"

// ActionGivenUp is the action of the first entry of a run that began over a
// record which could not be read, and of which the cluster refused a copy: its
// object is that record's, its message why.
const ActionGivenUp = "given up"

// setsAside reports whether an error of reading the current record is one
// that the record is set aside for.
func (o AcquireOptions) setsAside(err error) bool {
	var unreadable *RecordError
	return o.SetAside && errors.As(err, &unreadable)
}

// ActionUnarchived is the action of the first entry of a run that began over
// the record of a finished one which the cluster refused to archive: its object
// is that run, its message why.
const ActionUnarchived = "unarchived"

// goesWithout reports whether a run begins although what was recorded before it
// can't be kept. What may pass by asking again is no refusal.
func (o AcquireOptions) goesWithout(err error) bool {
	return o.SetAside && !cluster.Transient(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrLost)
}

// unarchived is what is left of a run that could not be archived.
func unarchived(run Run, reason error) Entry {
	return Entry{
		Kind: Note, Action: ActionUnarchived, Object: "run/" + run.ID,
		Message: fmt.Sprintf("%s→%s ended with %s, and its record was given up: %v", run.From, run.To, run.Outcome, reason),
	}
}

// stampOf is the epoch on an object, 0 when it has none that can be read.
func stampOf(object *corev1.ConfigMap) int64 {
	fence, err := cluster.FenceOf(object)
	if err != nil {
		return 0
	}
	return fence.Epoch
}

// setAside keeps a record that can't be read under another name and returns
// the object for the new record to be written over, and the run with an entry
// about it. Nothing is lost when this ends between the copy and that write:
// the copy is named after what it holds, so that the next attempt finds it.
// Where the cluster refuses the copy, the entry says so, and the record is given up.
func (j *Journal) setAside(ctx context.Context, options AcquireOptions, object *corev1.ConfigMap, run Run, reason error) (*corev1.ConfigMap, Run, error) {
	if epoch := stampOf(object); epoch >= run.Epoch {
		return nil, run, fmt.Errorf("take release %s at epoch %d: its record has epoch %d: %w", j.release, run.Epoch, epoch, ErrLost)
	}
	entry, err := j.keepAside(ctx, object, reason)
	if err != nil && !options.goesWithout(err) {
		return nil, run, err
	}
	run.Entries = append(slices.Clone(run.Entries), entry)
	return emptied(object), run, nil
}

// keepAside copies a record that can't be read and returns the entry about it.
// With an error comes the one that says that the record is given up.
func (j *Journal) keepAside(ctx context.Context, object *corev1.ConfigMap, reason error) (Entry, error) {
	kept, err := j.aside(object)
	if err != nil {
		return Entry{}, err
	}
	_, err = j.client.CoreV1().ConfigMaps(j.namespace).Create(ctx, kept, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	entry := Entry{
		Kind: Note, Action: ActionSetAside, Object: "configmap/" + kept.Name,
		Message: fmt.Sprintf("%v; it is kept as it was found", reason),
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		err = fmt.Errorf("set %s aside as %s: %w", describe(object), kept.Name, err)
		entry.Action, entry.Object = ActionGivenUp, "configmap/"+object.Name
		entry.Message = fmt.Sprintf("%v; it was given up: %v", reason, err)
		return entry, err
	}
	return entry, nil
}

// aside is the copy of a record that can't be read. It is labelled as the
// release's, but as no run's, so that it is not taken for a past run.
func (j *Journal) aside(object *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	content, err := json.Marshal([]any{object.Annotations, object.Data, object.BinaryData})
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", describe(object), err)
	}
	sum := sha256.Sum256(content)
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: j.name() + "-unreadable-" + hex.EncodeToString(sum[:6]), Namespace: j.namespace,
			Labels:      map[string]string{cluster.LabelRelease: j.release},
			Annotations: object.Annotations,
		},
		Data:       object.Data,
		BinaryData: object.BinaryData,
	}, nil
}
