package release

import (
	"bytes"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"
)

// mistakesAbove bounds how many mistakes of YAML MetadataOf goes past.
const mistakesAbove = 16

// MetadataOf is which release a document is about, as far as it says so,
// whatever else is wrong with it. Of text that is not YAML, what stands above
// the mistake counts. What is not said, or not in the form of a name, is empty.
func MetadataOf(text []byte) Metadata {
	if len(text) > maximumSize {
		return Metadata{}
	}
	documents, err := decodeDocuments(text)
	for tries := 0; err != nil && tries < mistakesAbove; tries++ {
		text = above(text, err)
		documents, err = decodeDocuments(text)
	}
	if err != nil || len(documents) == 0 {
		return Metadata{}
	}
	s := &source{root: documents[0], fields: map[string]*yaml.Node{}, meant: map[string]bool{}}
	if !s.isKind(Kind) {
		return Metadata{}
	}
	document := s.readRelease()
	if document == nil {
		return Metadata{}
	}
	return named(document.Metadata)
}

// named leaves out of a Metadata what is not the name of anything.
func named(metadata Metadata) Metadata {
	for _, name := range []*string{&metadata.Name, &metadata.Namespace} {
		if len(validation.IsDNS1123Label(*name)) > 0 {
			*name = ""
		}
	}
	return metadata
}

var mistakenLine = regexp.MustCompile(`line (\d+)`)

// above is what stands above the line that an error of the YAML package names,
// at least one line less than the text.
func above(text []byte, err error) []byte {
	lines := bytes.SplitAfter(bytes.TrimRight(text, "\n"), []byte("\n"))
	keep := len(lines) - 1
	if match := mistakenLine.FindStringSubmatch(err.Error()); match != nil {
		if line, err := strconv.Atoi(match[1]); err == nil {
			keep = min(keep, max(line-1, 0))
		}
	}
	return bytes.Join(lines[:keep], nil)
}
