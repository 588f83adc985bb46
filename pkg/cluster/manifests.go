package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ReadManifests reads objects from YAML or JSON files with any number of
// documents, and from the .yaml, .yml and .json files right inside
// directories, in the order of paths and then of file names. Lists are taken
// apart. Every error is a ManifestError. Kustomizations and templates are refused,
// with the command that renders them.
func ReadManifests(paths []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	err := eachManifest(paths, func(file string, data []byte) error {
		found, err := parseManifests(file, data)
		objects = append(objects, found...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return objects, nil
}

// eachManifest reads the files of paths one after another, until one fails.
func eachManifest(paths []string, look func(file string, data []byte) error) error {
	for _, path := range paths {
		files, err := ManifestFiles(path)
		if err != nil {
			return err
		}
		for _, file := range files {
			data, err := os.ReadFile(file) //nolint:gosec // the Release names it
			if err != nil {
				return unreadable(file, err)
			}
			if err := look(file, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// ManifestFiles are the files that ReadManifests reads for one path: path
// itself, or the .yaml, .yml and .json files right inside it when it is a
// directory.
func ManifestFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &ManifestError{File: path, Message: "no such file or directory",
			Remedy: "create it, or correct spec.colors.<name>.manifests: its paths are relative to the document"}
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.IsDir() {
		return []string{path}, refuseKustomization(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	var files []string
	for _, entry := range entries {
		file := filepath.Join(path, entry.Name())
		if err := refuseKustomization(file); err != nil {
			return nil, err
		}
		if !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil, &ManifestError{File: path, Message: "no .yaml, .yml or .json file in it",
			Remedy: "put the manifests right into it, or correct spec.colors.<name>.manifests"}
	}
	return files, nil
}

// refuseKustomization returns an error for the file that makes a directory a
// kustomization: applying the files around it would not be what was meant.
func refuseKustomization(file string) error {
	switch filepath.Base(file) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return &ManifestError{File: file, Message: "a kustomization is not rendered here",
			Remedy: fmt.Sprintf("render it first: kubectl kustomize %s > rendered.yaml", filepath.Dir(file))}
	}
	return nil
}

// document is one YAML document and the line of the file at which it starts.
type document struct {
	line int
	text []byte
}

// documentStart is a line that starts a new YAML document.
var documentStart = regexp.MustCompile(`^---(\s|$)`)

// splitDocuments cuts a file at its document starts.
func splitDocuments(data []byte) []document {
	documents := []document{{line: 1}}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		last := &documents[len(documents)-1]
		if documentStart.Match(text) {
			documents = append(documents, document{line: line, text: slices.Clone(text)})
			continue
		}
		last.text = append(last.text, text...)
	}
	return documents
}

// parseManifests reads the documents of one file.
func parseManifests(file string, data []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, document := range splitDocuments(data) {
		found, err := document.objects(file)
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// objects are those of one document: none, one, or those of a List.
func (d document) objects(file string) ([]*unstructured.Unstructured, error) {
	content, err := yaml.YAMLToJSONStrict(d.text)
	if err != nil {
		return nil, yamlProblem(file, d, err)
	}
	if string(bytes.TrimSpace(content)) == "null" {
		return nil, nil // only comments
	}
	found, err := parseObject(content)
	if err != nil {
		return nil, &ManifestError{File: file, Line: d.firstLine(), Message: err.Error(), Remedy: release.HintOf(err)}
	}
	return found, nil
}

// firstLine is the line of the document's first content.
func (d document) firstLine() int {
	line := d.line
	for text := range bytes.Lines(d.text) {
		trimmed := bytes.TrimSpace(text)
		if len(trimmed) != 0 && trimmed[0] != '#' && !documentStart.Match(text) {
			return line
		}
		line++
	}
	return d.line
}

// yamlLine is where the YAML parser says which line is wrong.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlProblem moves the parser's line from the document to the file.
func yamlProblem(file string, document document, err error) error {
	message := strings.NewReplacer("yaml: unmarshal errors:\n  ", "", "yaml: ", "", "error converting YAML to JSON: ", "").Replace(err.Error())
	line := document.firstLine()
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		number, _ := strconv.Atoi(found[1])
		line = document.line + max(number, 1) - 1
		message = strings.Replace(message, found[0], "", 1)
	}
	if number := release.SyntaxLine(document.text); number > 0 { // which is nearer
		line = document.line + number - 1
	}
	problem := &ManifestError{File: file, Line: line, Message: message, Remedy: "mend the YAML at that line"}
	if bytes.Contains(document.text, []byte("{{")) {
		problem.Remedy = "this looks like a template; render it first, for instance: helm template CHART > rendered.yaml"
	}
	return problem
}

// parseObject reads one object, or the objects of a List.
func parseObject(content []byte) ([]*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(content, &object.Object); err != nil {
		return nil, errors.New("expected one object with apiVersion, kind and metadata")
	}
	if err := typed(object); err != nil {
		return nil, err
	}
	if object.GetKind() == "Kustomization" {
		return nil, release.WithHint(errors.New("a kustomization is not rendered here"), "render it first: kubectl kustomize DIR > rendered.yaml")
	}
	if err := object.UnmarshalJSON(content); err != nil {
		return nil, err
	}
	if object.IsList() {
		var objects []*unstructured.Unstructured
		err := object.EachListItem(func(item runtime.Object) error {
			one, ok := item.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("read an item of the list: unexpected %T", item)
			}
			objects = append(objects, one)
			return complete(one)
		})
		return objects, err
	}
	return []*unstructured.Unstructured{object}, complete(object)
}

// typed refuses an object that doesn't say what it is.
func typed(object *unstructured.Unstructured) error {
	switch {
	case object.GetAPIVersion() == "":
		return errors.New("the object has no apiVersion")
	case object.GetKind() == "":
		return errors.New("the object has no kind")
	}
	return nil
}

// complete refuses an object that can't be told from others.
func complete(object *unstructured.Unstructured) error {
	if err := typed(object); err != nil {
		return err
	}
	if object.GetName() == "" {
		return fmt.Errorf("the %s has no metadata.name", object.GetKind())
	}
	return nil
}
