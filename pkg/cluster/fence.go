package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FieldManager is the name under which every write of ours stands in
// managedFields.
const FieldManager = "bluegreen"

// The labels and annotations that the tool puts on objects.
const (
	LabelRelease       = "bluegreen.dev/release"
	AnnotationEpoch    = "bluegreen.dev/epoch"
	AnnotationHolder   = "bluegreen.dev/holder"
	AnnotationPrevious = "bluegreen.dev/previous"
	// AnnotationSwitched is the resourceVersion that a route had when its
	// split was changed last, written in the same patch. It tells a switch
	// from every other write: whoever changes the split alone leaves an older
	// version there, which an admission policy sees.
	AnnotationSwitched = "bluegreen.dev/switched"
	AnnotationStop     = "bluegreen.dev/stop"
	// AnnotationOrigin is the colour that a route gave everything to before it
	// began to share.
	AnnotationOrigin = "bluegreen.dev/origin"
	// AnnotationScale is by how much the weights of a route were multiplied
	// to hold a split that their sum can't be divided into.
	AnnotationScale = "bluegreen.dev/scale"
	// AnnotationPreview is the preview that a route has, as JSON. It tells the
	// rules of ours from all others.
	AnnotationPreview = "bluegreen.dev/preview"
	// AnnotationSplit is, on a Deployment of workers, the split that its replicas
	// were last written for, and AnnotationGiven how many it was given for that.
	// Replicas alone tell no share: two of each may be all of one side and half
	// of another.
	AnnotationSplit = "bluegreen.dev/split"
	AnnotationGiven = "bluegreen.dev/given"
)

// ErrFenced is returned by a fenced write that the object refused: its
// epoch, its holder or its resourceVersion is not what the writer read. The
// writer has lost the race and must read again before it does anything.
var ErrFenced = errors.New("object was written by somebody else since it was read")

// Fence is the right to write: the epoch of a run and its holder. Epochs
// only grow; an object that carries a higher one refuses an older writer.
type Fence struct {
	Epoch  int64  `json:"epoch"`
	Holder string `json:"holder"`
}

// FenceOf reads the stamp that an object carries; the zero Fence when it
// carries none. A stamp that is not a number is an error, never a zero.
func FenceOf(object metav1.Object) (Fence, error) {
	annotations := object.GetAnnotations()
	text, found := annotations[AnnotationEpoch]
	if !found {
		return Fence{Holder: annotations[AnnotationHolder]}, nil
	}
	epoch, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Fence{}, fmt.Errorf("read annotation %s of %s: %q is not a whole number", AnnotationEpoch, object.GetName(), text)
	}
	return Fence{Epoch: epoch, Holder: annotations[AnnotationHolder]}, nil
}

// Check returns an error that wraps ErrFenced when a stamp that was read is
// not this fence's own.
func (f Fence) Check(stamp Fence) error {
	if f == stamp {
		return nil
	}
	return fmt.Errorf("stamp is epoch %d of %s, expected epoch %d of %s: %w", stamp.Epoch, stamp.Holder, f.Epoch, f.Holder, ErrFenced)
}

// permits returns an error that wraps ErrFenced when an object carries a stamp
// that this fence may not replace: a higher epoch, or the same one in another
// hand, for then two runs believe they took over at once, and the one whose
// stamp stands first wins.
func (f Fence) permits(read metav1.Object) error {
	stamp, err := FenceOf(read)
	if err != nil {
		return err
	}
	if stamp.Epoch > f.Epoch || (stamp.Epoch == f.Epoch && stamp.Epoch != 0 && stamp.Holder != f.Holder) {
		return fmt.Errorf("write at epoch %d: it carries epoch %d of %s: %w", f.Epoch, stamp.Epoch, stamp.Holder, ErrFenced)
	}
	return nil
}

// stamp puts this fence on an object that is about to be sent as a whole.
func (f Fence) stamp(object metav1.Object) {
	annotations := maps.Clone(object.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[AnnotationEpoch] = strconv.FormatInt(f.Epoch, 10)
	annotations[AnnotationHolder] = f.Holder
	object.SetAnnotations(annotations)
}

// Operation is one operation of a JSON patch (RFC 6902).
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// Annotate is the operation that sets one annotation of an object that
// already has annotations; FencedPatch sees to it that the map exists.
func Annotate(key, value string) Operation {
	return Operation{Op: "add", Path: "/metadata/annotations/" + EscapePointer(key), Value: value}
}

// EscapePointer escapes one token of a JSON pointer (RFC 6901).
func EscapePointer(token string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// FencedPatch is a JSON patch that applies changes only while the object
// still carries the stamp and the resourceVersion with which it was read,
// and that leaves the fence's stamp on it: one request, all or nothing.
func FencedPatch(read metav1.Object, fence Fence, changes ...Operation) ([]byte, error) {
	if err := fence.permits(read); err != nil {
		return nil, fmt.Errorf("patch %s: %w", read.GetName(), err)
	}
	return fencedPatch(read, fence, changes...)
}

// RestampingPatch is FencedPatch for an object whose stamp somebody has made
// unreadable, and so says nothing of who is newer. It still applies only to the
// version that was read. The caller must have made sure, after it read that
// version, that it is the newest holder: a run does by announcing the write in its
// record, which takes none of a former holder.
func RestampingPatch(read metav1.Object, fence Fence, changes ...Operation) ([]byte, error) {
	if _, err := FenceOf(read); err == nil {
		return FencedPatch(read, fence, changes...)
	}
	return fencedPatch(read, fence, changes...)
}

func fencedPatch(read metav1.Object, fence Fence, changes ...Operation) ([]byte, error) {
	operations := []Operation{{Op: "test", Path: "/metadata/resourceVersion", Value: read.GetResourceVersion()}}
	annotations := read.GetAnnotations()
	if len(annotations) == 0 {
		operations = append(operations, Operation{Op: "add", Path: "/metadata/annotations", Value: map[string]string{}})
	}
	for _, key := range []string{AnnotationEpoch, AnnotationHolder} {
		if value, found := annotations[key]; found {
			operations = append(operations, Operation{Op: "test", Path: "/metadata/annotations/" + EscapePointer(key), Value: value})
		}
	}
	operations = append(operations, changes...)
	operations = append(operations,
		Annotate(AnnotationEpoch, strconv.FormatInt(fence.Epoch, 10)),
		Annotate(AnnotationHolder, fence.Holder))
	return json.Marshal(operations)
}
