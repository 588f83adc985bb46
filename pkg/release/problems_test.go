package release

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mistake is a document with one text replaced, and what is said about it.
type mistake struct {
	name     string
	document string // small.yaml unless set
	old, new string
	want     []string // line:column: field: message; hint
}

// tell writes a problem as the tables have it.
func tell(p *Problem) string {
	text := fmt.Sprintf("%d:%d: ", p.Line, p.Column)
	if p.Field != "" {
		text += p.Field + ": "
	}
	text += p.Message
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	return text
}

func (m mistake) run(t *testing.T) {
	document := m.document
	if document == "" {
		document = "small.yaml"
	}
	text := read(t, document)
	if m.old != "" && !strings.Contains(text, m.old) {
		t.Fatalf("%s does not hold %q", document, m.old)
	}
	_, err := Parse("f", []byte(strings.Replace(text, m.old, m.new, 1)))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, problem := range problems {
		got = append(got, tell(problem))
	}
	if diff := cmp.Diff(m.want, got); diff != "" {
		t.Error(diff)
	}
}
