package job

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// sizeLimit bounds what goes into one ConfigMap, below the 1 MiB that the API
// server takes.
const sizeLimit = 900 << 10

// documentName is what the document is called in the pod, beside the manifests
// that it names. It does not end like a manifest, so that a folder of manifests
// which it lies in does not take it for one.
const documentName = "bluegreen.release"

// Bundle is the files of a release, as they go into a ConfigMap and from there
// into the pod, where they lie to each other as they do here.
type Bundle struct {
	Document File
	// Manifests are those of the colours, and the files of checks and migrations
	// that the document names.
	Manifests []File
}

// File is one file, by its path from the root of all of them.
type File struct {
	Path string
	Text string
}

// Pack reads the manifests of all colours of a release beside its document, its
// migrations and the files of its checks. A manifest that is a Secret, or in which
// a credential stands, is refused: what is packed lies open in a ConfigMap.
func Pack(rel *release.Release, text []byte, directory string) (Bundle, error) {
	home, found, err := checkFiles(rel, directory)
	if err != nil {
		return Bundle{}, err
	}
	for _, color := range rel.Spec.ColorNames() {
		for _, manifest := range rel.Spec.Colors[color].Manifests {
			if filepath.IsAbs(manifest) {
				return Bundle{}, release.WithHint(
					fmt.Errorf("pack the manifests of %s: %s is an absolute path, which a pod does not have", color, manifest),
					"name it relative to the document")
			}
			if err := packManifests(found, color, filepath.Join(home, manifest)); err != nil {
				return Bundle{}, err
			}
		}
	}
	for _, database := range rel.Spec.Databases {
		if err := packMigrations(found, database, home); err != nil {
			return Bundle{}, err
		}
	}
	return arrange(home, text, found)
}

// Alone is a Bundle of the document and the files of its checks, for a Job that
// applies nothing.
func Alone(rel *release.Release, text []byte, directory string) (Bundle, error) {
	home, found, err := checkFiles(rel, directory)
	if err != nil {
		return Bundle{}, err
	}
	return arrange(home, text, found)
}

// checkFiles are the files of spec.checks.files, without which the document is
// refused, by their absolute paths; home is the folder of the document as one.
func checkFiles(rel *release.Release, directory string) (home string, found map[string]string, err error) {
	if home, err = filepath.Abs(directory); err != nil {
		return "", nil, fmt.Errorf("pack the release: %w", err)
	}
	found = map[string]string{}
	for _, pattern := range rel.Spec.Checks.Files {
		files, err := release.CheckFiles(home, pattern)
		if err != nil {
			return "", nil, fmt.Errorf("pack the checks: %w", err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file) //nolint:gosec // the Release names it
			if err != nil {
				return "", nil, fmt.Errorf("pack the checks: %w", err)
			}
			found[file] = string(text)
		}
	}
	return home, found, nil
}

// packManifests reads the files of one path.
func packManifests(found map[string]string, color, manifest string) error {
	files, err := cluster.ManifestFiles(manifest)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // the Release names it
		if err != nil {
			return fmt.Errorf("pack the manifests of %s: %w", color, err)
		}
		if err := public(color, file, text); err != nil {
			return err
		}
		found[file] = string(text)
	}
	return nil
}

// arrange gives every file its path from the folder that holds all of them.
func arrange(home string, text []byte, found map[string]string) (Bundle, error) {
	root := home
	for file := range found {
		for !within(root, file) {
			root = filepath.Dir(root)
		}
	}
	from := func(file string) string {
		return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(file, root), string(filepath.Separator)))
	}
	bundle := Bundle{Document: File{Path: path.Join(from(home), documentName), Text: string(text)}}
	for file, text := range found {
		bundle.Manifests = append(bundle.Manifests, File{Path: from(file), Text: text})
	}
	slices.SortFunc(bundle.Manifests, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if size := bundle.size(); size > sizeLimit {
		return Bundle{}, release.WithHint(
			fmt.Errorf("pack the release: its document and manifests are %d KiB together, and a ConfigMap takes %d", size>>10, sizeLimit>>10),
			"apply the manifests beforehand, and leave spec.colors.*.manifests out")
	}
	return bundle, nil
}

// within reports whether a file lies in a folder or below it.
func within(folder, file string) bool {
	relative, err := filepath.Rel(folder, file)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// size is the length of all texts, paths and keys, in bytes.
func (b Bundle) size() int {
	size := 0
	for key, text := range b.data() {
		size += len(key) + len(text)
	}
	for _, item := range b.items() {
		size += len(item.Path)
	}
	return size
}

const keyDocument = "document"

// data are the ConfigMap's.
func (b Bundle) data() map[string]string {
	data := map[string]string{keyDocument: b.Document.Text}
	for index, file := range b.Manifests {
		data[keyOf(index)] = file.Text
	}
	return data
}

// items give each key its path in the pod: a key can't hold a slash.
func (b Bundle) items() []corev1.KeyToPath {
	items := []corev1.KeyToPath{{Key: keyDocument, Path: b.Document.Path}}
	for index, file := range b.Manifests {
		items = append(items, corev1.KeyToPath{Key: keyOf(index), Path: file.Path})
	}
	return items
}

func keyOf(index int) string { return fmt.Sprintf("manifest-%d", index) }
