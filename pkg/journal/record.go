package journal

import (
	"encoding/json"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// recordVersion is the version of the layout of the ConfigMaps. A change that
// an older tool would misread takes the next number; a field more, which it may
// do without, does not, for an older tool keeps what it doesn't know.
const recordVersion = 1

// The keys of the ConfigMaps.
const (
	keyVersion = "version"
	keyRun     = "run.json"
)

// Name is what a release's Lease and the ConfigMap of its current run are
// called. The name of a past run has the run's id behind it.
func Name(release string) string { return "bluegreen-" + release }

func (j *Journal) name() string { return Name(j.release) }

// encodeCurrent writes a run as the current run's ConfigMap. Of the object as
// it was read, the identity and what others have put on it stay, and so do keys
// that a newer version of this tool has put beside the record.
func (j *Journal) encodeCurrent(read *corev1.ConfigMap, run Run) (*corev1.ConfigMap, error) {
	text, err := json.Marshal(run)
	if err != nil {
		return nil, fmt.Errorf("encode run %s: %w", run.ID, err)
	}
	if len(text) > recordLimit {
		return nil, fmt.Errorf("encode run %s: the record is %d bytes long, more than %d", run.ID, len(text), recordLimit)
	}
	object := read.DeepCopy()
	object.Name, object.Namespace = j.name(), j.namespace
	metav1.SetMetaDataLabel(&object.ObjectMeta, cluster.LabelRelease, j.release)
	metav1.SetMetaDataAnnotation(&object.ObjectMeta, cluster.AnnotationEpoch, strconv.FormatInt(run.Epoch, 10))
	metav1.SetMetaDataAnnotation(&object.ObjectMeta, cluster.AnnotationHolder, run.Holder)
	if object.Data == nil {
		object.Data = map[string]string{}
	}
	object.Data[keyVersion], object.Data[keyRun] = strconv.Itoa(recordVersion), string(text)
	return object, nil
}

// emptied is the object of a record, for that of another run.
func emptied(object *corev1.ConfigMap) *corev1.ConfigMap {
	cleared := object.DeepCopy()
	cleared.Data, cleared.BinaryData = nil, nil
	return cleared
}

// decodeCurrent reads the current run's ConfigMap. The annotations and the
// record must agree, or else somebody has written to one of them by hand.
func (j *Journal) decodeCurrent(object *corev1.ConfigMap) (*Run, error) {
	run, err := j.decode(object, []byte(object.Data[keyRun]))
	if err != nil {
		return nil, err
	}
	fence, err := cluster.FenceOf(object)
	if err != nil {
		return nil, j.damaged(object, err.Error())
	}
	if fence.Epoch != run.Epoch {
		return nil, j.damaged(object, fmt.Sprintf("its annotation says epoch %d, its record %d", fence.Epoch, run.Epoch))
	}
	return run, nil
}

// decode reads a run's JSON from an object whose version it checks first.
func (j *Journal) decode(object *corev1.ConfigMap, text []byte) (*Run, error) {
	if err := j.checkVersion(object); err != nil {
		return nil, err
	}
	var run Run
	if err := json.Unmarshal(text, &run); err != nil {
		return nil, j.damaged(object, "its record is damaged: "+err.Error())
	}
	if run.ID == "" || run.Release != j.release {
		return nil, j.damaged(object, fmt.Sprintf("its record is of run %q of release %q", run.ID, run.Release))
	}
	return &run, nil
}

func (j *Journal) checkVersion(object *corev1.ConfigMap) error {
	text := object.Data[keyVersion]
	version, err := strconv.Atoi(text)
	switch {
	case text == "":
		return j.damaged(object, "it has no version")
	case err != nil || version > recordVersion:
		return &RecordError{
			Object: describe(object),
			Reason: fmt.Sprintf("it has version %.20s, and this tool knows up to %d", text, recordVersion),
			Remedy: "use the version of kubectl bluegreen that wrote it, or a newer one; without it: " + j.remedy(object),
		}
	case version < 1:
		return j.damaged(object, fmt.Sprintf("it has version %d", version))
	}
	return nil
}

// damaged is the error for an object that can't be read for what it is.
func (j *Journal) damaged(object *corev1.ConfigMap, reason string) error {
	return &RecordError{
		Object: describe(object),
		Reason: reason,
		Remedy: j.remedy(object),
	}
}

// remedy is how to go on without an object that can't be read: both commands set
// the record aside, and one of a past run stands in nobody's way.
func (j *Journal) remedy(object *corev1.ConfigMap) string {
	if object.Name != j.name() {
		return fmt.Sprintf("no run depends on it; to be rid of it: kubectl -n %s delete configmap %s", object.Namespace, object.Name)
	}
	return "to go back: kubectl bluegreen rollback; where traffic is where it belongs: kubectl bluegreen shift --set-record-aside"
}

func describe(object *corev1.ConfigMap) string {
	return "configmap " + object.Namespace + "/" + object.Name
}
