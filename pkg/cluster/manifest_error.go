package cluster

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ManifestError is a mistake in manifests. It repeats no value, which may be a
// secret.
type ManifestError struct {
	File string `json:"file"`
	// Line counts from 1; 0 is the file, or the folder, as a whole.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Object is the kind/name that it is about, with the kind in lower case, "" for
	// none; Field is the path of the field in it.
	Object string `json:"object,omitempty"`
	Field  string `json:"field,omitempty"`
	// Message says what is wrong, in lower case, Remedy what to write instead.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	// Unknown: the field is none that the kind has here. The object can be read
	// without it, and a newer server may know it.
	Unknown bool `json:"unknown,omitempty"`
}

// Error says where, and what.
func (e *ManifestError) Error() string {
	place := e.File
	if e.Line > 0 {
		place = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return "read manifests " + place + ": " + e.Sentence()
}

// Sentence says what is wrong without the place.
func (e *ManifestError) Sentence() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Hint is the remedy.
func (e *ManifestError) Hint() string { return e.Remedy }

// Position is where it stands, nil where it stands in no line.
func (e *ManifestError) Position() *release.Position {
	if e.Line == 0 {
		return nil
	}
	return &release.Position{File: e.File, Line: e.Line, Column: max(e.Column, 1)}
}

// unreadable is a file or a folder that the operating system doesn't give.
func unreadable(path string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err
	}
	return &ManifestError{File: path, Message: err.Error(), Remedy: "let it be read by whoever runs this"}
}
