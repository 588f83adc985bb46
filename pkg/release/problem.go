package release

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one mistake in a document and where it stands.
type Problem struct {
	// File is the name of the document as the user gave it.
	File string `json:"file"`
	// Line and Column count from 1; 0 means the document as a whole.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Field is the path of the field, such as spec.traffic.steps[0].hold.
	Field string `json:"field,omitempty"`
	// Message says what is wrong, in lower case.
	Message string `json:"message"`
	// Remedy says what to write instead; it may be empty.
	Remedy string `json:"hint,omitempty"`
}

// Error is file:line:column: field: message, without the hint.
func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&text, ":%d:%d", p.Line, p.Column)
	}
	text.WriteString(": ")
	if p.Field != "" {
		text.WriteString(p.Field + ": ")
	}
	text.WriteString(p.Message)
	return text.String()
}

// Hint returns the remedy, or "".
func (p *Problem) Hint() string { return p.Remedy }

// Problems are all the mistakes of a document, in the order in which they
// stand in it.
type Problems []*Problem

// Error is one line per problem. When there are several, the hint of each
// follows it on a line of its own, for a face prints only one hint.
func (p Problems) Error() string {
	if len(p) == 1 {
		return p[0].Error()
	}
	var lines []string
	for _, problem := range p {
		lines = append(lines, problem.Error())
		if problem.Remedy != "" {
			lines = append(lines, "    hint: "+problem.Remedy)
		}
	}
	return strings.Join(lines, "\n")
}

// Hint returns the remedy of the only problem; with several, Error has them.
func (p Problems) Hint() string {
	if len(p) == 1 {
		return p[0].Remedy
	}
	return ""
}

// Unwrap gives errors.As each problem.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, problem := range p {
		errs[i] = problem
	}
	return errs
}

// mostProblems bounds how many problems of one document are told.
const mostProblems = 50

// sorted orders problems by where they stand; the order of discovery breaks
// ties, so that the outcome is the same every time. Of very many it keeps the
// first, and says so.
func (p Problems) sorted() Problems {
	sort.SliceStable(p, func(i, j int) bool {
		if p[i].Line != p[j].Line {
			return p[i].Line < p[j].Line
		}
		return p[i].Column < p[j].Column
	})
	if len(p) <= mostProblems {
		return p
	}
	last := p[mostProblems-1]
	return append(p[:mostProblems:mostProblems], &Problem{File: last.File, Line: last.Line, Column: last.Column,
		Message: fmt.Sprintf("there are %d more problems after this one", len(p)-mostProblems)})
}
