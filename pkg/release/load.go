package release

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Loaded is a document that was read, found without problems and completed
// with the defaults.
type Loaded struct {
	Release *Release
	// Path is the name under which the document was read.
	Path string
	// Text is the document as it was written.
	Text []byte
	// Hash is the SHA-256, in hexadecimal, of the completed Release as JSON.
	// Two documents that mean the same have the same hash.
	Hash string

	source *source
}

// Load reads a document from a file. Mistakes in it are Problems.
func Load(path string) (*Loaded, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maximumSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return Parse(path, text)
}

// openError says in one sentence why a file can't be opened, and what to do.
func openError(path string, err error) error {
	err = pathless(err)
	wrapped := fmt.Errorf("read %s: %w", path, err)
	if errors.Is(err, fs.ErrNotExist) {
		return WithHint(wrapped, "write one with: kubectl bluegreen init svc/NAME")
	}
	return wrapped
}

// pathless is an error about a file without the path, which the message has.
func pathless(err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		return reason.Err
	}
	return err
}

// Parse reads a document from text; name stands in the messages. The error,
// if any, is Problems: every mistake, in the order of the document.
func Parse(name string, text []byte) (*Loaded, error) {
	s := parseSource(name, text)
	if s.root == nil || !s.isKind(Kind) {
		return nil, s.problems.sorted()
	}
	document := s.readRelease()
	if document != nil && s.root.Kind == yaml.MappingNode {
		check(s, document)
	}
	if len(s.problems) > 0 {
		return nil, s.problems.sorted()
	}
	ApplyDefaults(document)
	hash, err := Hash(document)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &Loaded{Release: document, Path: name, Text: text, Hash: hash, source: s}, nil
}

// Hash is the SHA-256, in hexadecimal, of a Release as JSON. The JSON of
// equal Releases is equal, for the keys of maps are sorted.
func Hash(document *Release) (string, error) {
	canonical, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("hash release %s: %w", document.Metadata.Name, err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// Problem is a mistake that only another package can know of, at a field such
// as spec.database[0].pool, or at the nearest one around it that was written.
func (l *Loaded) Problem(field, message, remedy string) *Problem {
	line, column := l.source.position(field)
	return &Problem{File: l.Path, Line: line, Column: column, Field: field, Message: message, Remedy: remedy}
}

// Manifests returns the files and directories of a colour's manifests,
// resolved against the folder of the document.
func (l *Loaded) Manifests(color string) []string {
	var paths []string
	for _, path := range l.Release.Spec.Colors[color].Manifests {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(l.Path), path)
		}
		paths = append(paths, path)
	}
	return paths
}

// Migrations returns the files and directories of the migrations of each
// database that names some, resolved against the folder of the document.
func (l *Loaded) Migrations() map[string][]string {
	found := map[string][]string{}
	for _, database := range l.Release.Spec.Databases {
		if database.Migrations == nil {
			continue
		}
		for _, path := range database.Migrations.Paths {
			found[database.Name] = append(found[database.Name], filepath.Join(filepath.Dir(l.Path), path))
		}
	}
	return found
}

// position finds the line and column of a field, or of the nearest one around
// it that was written.
func (s *source) position(field string) (line, column int) {
	for {
		if node, found := s.fields[field]; found {
			return node.Line, node.Column
		}
		if field == "" {
			return 1, 1
		}
		field = parent(field)
	}
}

// parent takes the last part off a field path.
func parent(field string) string {
	if strings.HasSuffix(field, "]") {
		return field[:strings.LastIndexByte(field, '[')]
	}
	if dot := strings.LastIndexByte(field, '.'); dot >= 0 {
		return field[:dot]
	}
	return ""
}
