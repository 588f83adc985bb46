package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Journal is the record of one release in one namespace.
type Journal struct {
	client    kubernetes.Interface
	namespace string
	release   string
	clock     clock.Clock
	// chunkLimit bounds a chunk of an archive, in bytes.
	chunkLimit int
}

// New returns the journal of a release. It asks the cluster for nothing yet.
func New(client kubernetes.Interface, namespace, release string, clock clock.Clock) *Journal {
	return &Journal{client: client, namespace: namespace, release: release, clock: clock, chunkLimit: chunkLimit}
}

// Current returns the run that is under way or, when none is, the last one;
// nil when there never was one.
func (j *Journal) Current(ctx context.Context) (*Run, error) {
	_, run, err := j.readCurrent(ctx)
	return run, err
}

// readCurrent returns the current run and the object that holds it; an empty
// object and no run when there is none. A record that can't be read is a
// *RecordError beside the object that holds it.
func (j *Journal) readCurrent(ctx context.Context) (*corev1.ConfigMap, *Run, error) {
	object, err := j.client.CoreV1().ConfigMaps(j.namespace).Get(ctx, j.name(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &corev1.ConfigMap{}, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read configmap %s/%s: %w", j.namespace, j.name(), err)
	}
	run, err := j.decodeCurrent(object)
	if err != nil {
		return object, nil, err
	}
	return object, run, nil
}

// List returns every run that the cluster still has, newest first, the
// current one included. Runs that can't be read don't hide the others: they
// are told in the error, beside what was read.
func (j *Journal) List(ctx context.Context) ([]Run, error) {
	objects, err := j.archives(ctx)
	if err != nil {
		return nil, err
	}
	runs := map[string]Run{}
	var faults []error
	for i := range objects {
		run, err := j.readArchive(ctx, &objects[i])
		if err != nil {
			faults = append(faults, &UnreadError{Run: objects[i].Labels[labelRun], Err: err})
			continue
		}
		runs[run.ID] = *run
	}
	current, err := j.Current(ctx)
	if err != nil {
		faults = append(faults, err)
	}
	if current != nil {
		runs[current.ID] = *current
	}
	return newestFirst(runs), errors.Join(faults...)
}

// UnreadError is that a past run can't be read.
type UnreadError struct {
	Run string
	Err error
}

// Error says why.
func (e *UnreadError) Error() string { return e.Err.Error() }

// Unwrap gives errors.Is and errors.As the cause.
func (e *UnreadError) Unwrap() error { return e.Err }

// UnreadBefore reports whether an error of List is about past runs alone that came
// before one.
func UnreadBefore(err error, run string) bool {
	var faults interface{ Unwrap() []error }
	if !errors.As(err, &faults) {
		return err == nil
	}
	return !slices.ContainsFunc(faults.Unwrap(), func(fault error) bool {
		var unread *UnreadError
		return !errors.As(fault, &unread) || unread.Run >= run
	})
}

func newestFirst(runs map[string]Run) []Run {
	sorted := make([]Run, 0, len(runs))
	for _, run := range runs {
		sorted = append(sorted, run)
	}
	sort.Slice(sorted, func(i, k int) bool { return sorted[i].ID > sorted[k].ID })
	return sorted
}

// Get returns one run, current or past; the error says when there is none. A
// current run that can't be read hides no past one; it may be the one that is
// asked for, so without a past one its *RecordError is returned.
func (j *Journal) Get(ctx context.Context, id string) (*Run, error) {
	current, err := j.Current(ctx)
	var unreadable *RecordError
	if err != nil && !errors.As(err, &unreadable) {
		return nil, err
	}
	if current != nil && current.ID == id {
		return current, nil
	}
	object, err := j.client.CoreV1().ConfigMaps(j.namespace).Get(ctx, j.archiveName(id), metav1.GetOptions{})
	if apierrors.IsNotFound(err) && unreadable != nil {
		return nil, unreadable
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s of release %s: %w", id, j.release, err)
	}
	return j.readArchive(ctx, object)
}

// selected lists the ConfigMaps of the release, page by page.
func (j *Journal) selected(ctx context.Context) ([]corev1.ConfigMap, error) {
	var found []corev1.ConfigMap
	options := metav1.ListOptions{LabelSelector: labels.Set{cluster.LabelRelease: j.release}.String(), Limit: 20}
	for {
		page, err := j.client.CoreV1().ConfigMaps(j.namespace).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("list runs of release %s: %w", j.release, err)
		}
		found = append(found, page.Items...)
		if options.Continue = page.Continue; options.Continue == "" {
			return found, nil
		}
	}
}
