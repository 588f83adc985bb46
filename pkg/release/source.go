package release

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maximumSize bounds a document, in bytes: the copy that a run keeps in the
// cluster has to fit beside the run's record in one ConfigMap.
const maximumSize = 128 << 10

// source is one document as text and as nodes, with the problems found in it
// so far and the node of every field that was read.
type source struct {
	file     string
	text     []byte
	root     *yaml.Node
	fields   map[string]*yaml.Node
	problems Problems
	// meant are the fields that an unknown one was likely a misspelling of:
	// nobody needs to hear that they are missing.
	meant map[string]bool
}

// at reports a problem at a position.
func (s *source) at(line, column int, field, message, hint string) {
	s.problems = append(s.problems, &Problem{
		File: s.file, Line: line, Column: column, Field: field, Message: message, Remedy: hint,
	})
}

// parseSource turns text into nodes. Whatever YAML itself refuses is a
// problem with the line that it names.
func parseSource(file string, text []byte) *source {
	s := &source{file: file, text: text, fields: map[string]*yaml.Node{}, meant: map[string]bool{}}
	if len(text) > maximumSize {
		s.at(0, 0, "", fmt.Sprintf("is %d bytes long; a document has at most %d", len(text), maximumSize), "")
		return s
	}
	documents, err := decodeDocuments(text)
	switch {
	case err != nil:
		s.reportSyntax(text)
	case len(documents) == 0:
		s.at(1, 1, "", "is empty; a Release was expected", "write one with: kubectl bluegreen init svc/NAME")
	case len(documents) > 1:
		s.root = documents[0]
		s.at(documents[1].Line, documents[1].Column, "", "a second document starts here; a file holds one Release",
			"put the other documents into files of their own")
	default:
		s.root = documents[0]
	}
	s.refuseCredentials(text)
	return s
}

// decodeDocuments reads the documents of a stream that are not empty. The
// YAML package may panic on input that nobody has thought of; such input is
// the user's mistake, not a crash of ours.
func decodeDocuments(text []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			documents, err = nil, errors.New("yaml: the text can't be read")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for len(documents) < 2 {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
			continue
		}
		documents = append(documents, document.Content[0])
	}
	return documents, nil
}

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

// reportSyntax turns an error of the YAML package into a problem. A tab in
// the indentation is by far the most common cause and gets its own words.
func (s *source) reportSyntax(text []byte) {
	line, message := syntaxMistake(text)
	line, column := max(line, 1), 1
	for index, content := range strings.Split(string(text), "\n") {
		indentation := content[:len(content)-len(strings.TrimLeft(content, " \t"))]
		if tab := strings.IndexByte(indentation, '\t'); tab >= 0 && strings.TrimSpace(content) != "" {
			s.at(index+1, tab+1, "", "a tab stands in the indentation, which YAML forbids", "indent with spaces")
			return
		}
	}
	if match := unknownAnchor.FindStringSubmatch(message); match != nil {
		for index, content := range strings.Split(string(text), "\n") {
			if star := strings.Index(content, "*"+match[1]); star >= 0 {
				line, column = index+1, star+1
				break
			}
		}
	}
	if credential.MatchString(message) {
		message = "the text can't be read"
	}
	s.at(line, column, "", "is not YAML: "+message, "")
}
