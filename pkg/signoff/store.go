package signoff

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Name is what the ConfigMap of a release's sign-offs is called.
func Name(releaseName string) string { return journal.Name(releaseName) + "-signoffs" }

// Store is where the sign-offs of one release are kept.
type Store struct {
	client    kubernetes.Interface
	namespace string
	release   string
}

// NewStore returns the store of a release. It asks the cluster for nothing yet.
func NewStore(client kubernetes.Interface, namespace, releaseName string) *Store {
	return &Store{client: client, namespace: namespace, release: releaseName}
}

// Read returns what is there, by id, with what can't be read as such. No
// ConfigMap is no sign-off.
func (s *Store) Read(ctx context.Context) (map[string]Entry, error) {
	object, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	entries := map[string]Entry{}
	for id, text := range object.Data {
		entries[id] = decode(text)
	}
	for id := range object.BinaryData {
		entries[id] = Entry{Problem: "it is no text"}
	}
	return entries, nil
}

// Sign writes a sign-off in the place of the one before it.
func (s *Store) Sign(ctx context.Context, kind Kind, signed SignOff) error {
	text, err := json.Marshal(signed)
	if err != nil {
		return fmt.Errorf("encode sign-off %s: %w", kind.ID, err)
	}
	return s.change(ctx, func(object *corev1.ConfigMap) bool {
		if object.Data == nil {
			object.Data = map[string]string{}
		}
		object.Data[kind.ID] = string(text)
		delete(object.BinaryData, kind.ID)
		return true
	})
}

// Revoke takes a sign-off back; found is false where there was none.
func (s *Store) Revoke(ctx context.Context, kind Kind) (found bool, err error) {
	err = s.change(ctx, func(object *corev1.ConfigMap) bool {
		_, text := object.Data[kind.ID]
		_, binary := object.BinaryData[kind.ID]
		delete(object.Data, kind.ID)
		delete(object.BinaryData, kind.ID)
		found = text || binary
		return found
	})
	return found, err
}

// attempts bounds how often a write is tried that others overtake; each is a
// write of theirs, and signing off is rare.
const attempts = 20

// change reads, changes and writes until nobody has written in between. change
// says whether there is anything to write.
func (s *Store) change(ctx context.Context, change func(*corev1.ConfigMap) bool) error {
	for attempt := 1; ; attempt++ {
		object, err := s.read(ctx)
		if err != nil || !change(object) {
			return err
		}
		err = s.write(ctx, object)
		overtaken := apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
		if err == nil || !overtaken || attempt == attempts {
			return s.failed("write", err)
		}
	}
}

// read returns the ConfigMap, or the one to create where there is none.
func (s *Store) read(ctx context.Context) (*corev1.ConfigMap, error) {
	name := Name(s.release)
	object, err := s.client.CoreV1().ConfigMaps(s.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace,
			Labels: map[string]string{cluster.LabelRelease: s.release}}}, nil
	}
	if err != nil {
		return nil, s.failed("read", err)
	}
	// A release that is called as if it were our sign-offs has its record there.
	if owner := object.Labels[cluster.LabelRelease]; owner != s.release {
		return nil, release.WithHint(fmt.Errorf("read configmap %s/%s: its label %s is %q, so it is not of release %s", s.namespace, name, cluster.LabelRelease, owner, s.release),
			fmt.Sprintf("if it holds its sign-offs: kubectl -n %s label configmap %s %s=%s --overwrite", s.namespace, name, cluster.LabelRelease, s.release))
	}
	return object, nil
}

// write creates or replaces the ConfigMap, by compare-and-swap.
func (s *Store) write(ctx context.Context, object *corev1.ConfigMap) error {
	objects := s.client.CoreV1().ConfigMaps(s.namespace)
	var err error
	if object.ResourceVersion == "" {
		_, err = objects.Create(ctx, object, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	} else {
		_, err = objects.Update(ctx, object, metav1.UpdateOptions{FieldManager: cluster.FieldManager})
	}
	return err
}

func (s *Store) failed(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s configmap %s/%s: %w", verb, s.namespace, Name(s.release), err)
}
