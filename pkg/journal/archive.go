package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"sort"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

const (
	// chunkLimit is below the 1 MiB that a ConfigMap holds.
	chunkLimit = 900 << 10
	// kept is how many past runs stay in the cluster.
	kept = 20

	// keyChunk holds a chunk of the compressed record, keyChunks how many
	// there are. Chunk 0 is in the object of the run's name, chunk n in the
	// object with -n behind it.
	keyChunk  = "run.json.gz"
	keyChunks = "chunks"
	// labelRun marks every object of a past run.
	labelRun = "bluegreen.dev/run"
)

func (j *Journal) archiveName(id string) string { return j.name() + "-" + id }

func (j *Journal) chunkName(id string, chunk int) string {
	if chunk == 0 {
		return j.archiveName(id)
	}
	return j.archiveName(id) + "-" + strconv.Itoa(chunk)
}

// archive writes a run that has ended as a past run. Chunk 0 comes last, so
// that an archive which can be found is whole.
func (j *Journal) archive(ctx context.Context, run Run) error {
	text, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("archive run %s: %w", run.ID, err)
	}
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := writer.Write(text); err != nil {
		return fmt.Errorf("archive run %s: %w", run.ID, err)
	}
	if err := writer.Close(); err != nil {
		return fmt.Errorf("archive run %s: %w", run.ID, err)
	}
	count := (compressed.Len() + j.chunkLimit - 1) / j.chunkLimit
	for chunk := count - 1; chunk >= 0; chunk-- {
		part := compressed.Bytes()[chunk*j.chunkLimit : min((chunk+1)*j.chunkLimit, compressed.Len())]
		if err := j.writeChunk(ctx, run, chunk, count, part); err != nil {
			return fmt.Errorf("archive run %s: %w", run.ID, err)
		}
	}
	return nil
}

// writeChunk creates one object of an archive, or replaces what an earlier
// attempt, of the same run and no later epoch, has left damaged. What it has
// left whole stays: who may not write to any ConfigMap but the current
// record's begins the next run all the same.
func (j *Journal) writeChunk(ctx context.Context, run Run, chunk, count int, part []byte) error {
	objects := j.client.CoreV1().ConfigMaps(j.namespace)
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: j.chunkName(run.ID, chunk), Namespace: j.namespace,
			Labels: map[string]string{cluster.LabelRelease: j.release, labelRun: run.ID},
			Annotations: map[string]string{
				cluster.AnnotationEpoch: strconv.FormatInt(run.Epoch, 10), cluster.AnnotationHolder: run.Holder,
			},
		},
		Data:       map[string]string{keyVersion: strconv.Itoa(recordVersion), keyChunks: strconv.Itoa(count)},
		BinaryData: map[string][]byte{keyChunk: part},
	}
	_, err := objects.Create(ctx, object, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	existing, err := objects.Get(ctx, object.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	fence, err := cluster.FenceOf(existing)
	if err != nil {
		return j.damaged(existing, err.Error())
	}
	if fence.Epoch > run.Epoch {
		return fmt.Errorf("%s has epoch %d: %w", describe(existing), fence.Epoch, ErrLost)
	}
	if fence.Epoch == run.Epoch && j.archived(ctx, existing, object) {
		return nil
	}
	object.ResourceVersion = existing.ResourceVersion
	_, err = objects.Update(ctx, object, metav1.UpdateOptions{FieldManager: cluster.FieldManager})
	return err
}

// archived reports whether an object of an archive holds what would be written
// to it, or begins a whole archive, which another version of this tool may
// have put in other words.
func (j *Journal) archived(ctx context.Context, existing, wanted *corev1.ConfigMap) bool {
	if maps.Equal(existing.Data, wanted.Data) && bytes.Equal(existing.BinaryData[keyChunk], wanted.BinaryData[keyChunk]) {
		return true
	}
	_, err := j.readArchive(ctx, existing)
	return err == nil
}

// readArchive puts the chunks of a past run together and reads it.
func (j *Journal) readArchive(ctx context.Context, object *corev1.ConfigMap) (*Run, error) {
	if err := j.checkVersion(object); err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(object.Data[keyChunks])
	if err != nil || count < 1 || count > 100 {
		return nil, j.damaged(object, fmt.Sprintf("it says %q of its chunks", object.Data[keyChunks]))
	}
	compressed := append([]byte(nil), object.BinaryData[keyChunk]...)
	for chunk := 1; chunk < count; chunk++ {
		name := j.chunkName(object.Labels[labelRun], chunk)
		next, err := j.client.CoreV1().ConfigMaps(j.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read chunk %d of %s: %w", chunk, describe(object), err)
		}
		compressed = append(compressed, next.BinaryData[keyChunk]...)
	}
	text, err := unzip(compressed)
	if err != nil {
		return nil, j.damaged(object, "its record is damaged: "+err.Error())
	}
	return j.decode(object, text)
}

// unzip decompresses a record, and no more than a record can be.
func unzip(compressed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	const limit = 100 * chunkLimit
	text, err := io.ReadAll(io.LimitReader(reader, limit+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("it is longer than %d bytes", limit)
	}
	return text, err
}

// archives lists the first objects of the past runs, newest first.
func (j *Journal) archives(ctx context.Context) ([]corev1.ConfigMap, error) {
	objects, err := j.selected(ctx)
	if err != nil {
		return nil, err
	}
	var found []corev1.ConfigMap
	for _, object := range objects {
		if id := object.Labels[labelRun]; id != "" && object.Name == j.archiveName(id) {
			found = append(found, object)
		}
	}
	sort.Slice(found, func(i, k int) bool { return found[i].Name > found[k].Name })
	return found, nil
}

// Prune deletes all but the last twenty past runs.
func (j *Journal) Prune(ctx context.Context) error {
	objects, err := j.archives(ctx)
	if err != nil {
		return err
	}
	for i := kept; i < len(objects); i++ {
		count, err := strconv.Atoi(objects[i].Data[keyChunks])
		if err != nil || count > 100 {
			count = 1
		}
		for chunk := range max(count, 1) {
			name := j.chunkName(objects[i].Labels[labelRun], chunk)
			err := j.client.CoreV1().ConfigMaps(j.namespace).Delete(ctx, name, metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("delete configmap %s/%s: %w", j.namespace, name, err)
			}
		}
	}
	return nil
}
