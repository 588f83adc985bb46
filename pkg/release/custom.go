package release

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// KindCheckSet is the kind of a file of checks of one's own.
const KindCheckSet = "CheckSet"

// DeclaredCheck is a check of one's own and where it is declared.
type DeclaredCheck struct {
	CustomCheck
	// Position of the declaration, nil where it stands in no file.
	Position *Position `json:"position,omitempty"`

	source *source
	field  string
}

// Problem is a mistake in a field of the check, such as "expression", at the
// rune of the field's text with the number offset.
func (d DeclaredCheck) Problem(field string, offset int, message, remedy string) *Problem {
	if d.source == nil {
		return &Problem{File: "check " + d.ID, Field: field, Message: message, Remedy: remedy}
	}
	at := join(d.field, field)
	line, column := d.source.position(at)
	if node, found := d.source.fields[at]; found {
		line, column = placeIn(d.source.text, node, offset)
	}
	return &Problem{File: d.source.file, Line: line, Column: column, Field: at, Message: message, Remedy: remedy}
}

// DeclaredChecks are the checks of one's own that a document declares, and those
// of the files that it names, relative to its folder. Mistakes in those files
// are Problems.
func (l *Loaded) DeclaredChecks() ([]DeclaredCheck, error) {
	found := declared(l.source, "spec.checks.custom", l.Release.Spec.Checks.Custom)
	var problems Problems
	for i, pattern := range l.Release.Spec.Checks.Files {
		field := fmt.Sprintf("spec.checks.files[%d]", i)
		paths, err := CheckFiles(filepath.Dir(l.Path), pattern)
		if err != nil {
			problems = append(problems, l.Problem(field, err.Error(), HintOf(err)))
		} else if len(paths) == 0 {
			problems = append(problems, l.Problem(field, "no file is called "+shown(pattern), "the path is relative to the document"))
		}
		for _, path := range paths {
			checks, err := LoadChecks(path)
			if mistakes := (Problems)(nil); errors.As(err, &mistakes) {
				problems = append(problems, mistakes...)
			} else if err != nil {
				problems = append(problems, l.Problem(field, err.Error(), ""))
			}
			found = append(found, checks...)
		}
	}
	problems = append(problems, twice(found)...)
	if len(problems) > 0 {
		return nil, problems
	}
	return found, nil
}

// CheckFiles are the files that a pattern of spec.checks.files stands for,
// sorted; folder is that of the document. One that leads out of the folder is
// refused.
func CheckFiles(folder, pattern string) ([]string, error) {
	if !filepath.IsLocal(pattern) {
		return nil, WithHint(fmt.Errorf("%s %w %s", shown(pattern), ErrOutside, folderName(folder)), "name it relative to the document, in its folder or below it")
	}
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", shown(pattern), err)
	}
	for _, path := range paths {
		if _, err := Inside(folder, path); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// twice finds ids that are there again in another file.
func twice(checks []DeclaredCheck) Problems {
	var problems Problems
	first := map[string]DeclaredCheck{}
	for _, check := range checks {
		before, again := first[check.ID]
		if again {
			problems = append(problems, check.Problem("id", 0, fmt.Sprintf("%s is there already, at %s:%d", shown(check.ID), before.Position.File, before.Position.Line), "give each check an id of its own"))
			continue
		}
		first[check.ID] = check
	}
	return problems
}

func declared(s *source, list string, checks []CustomCheck) []DeclaredCheck {
	var found []DeclaredCheck
	for i, check := range checks {
		field := fmt.Sprintf("%s[%d]", list, i)
		line, column := s.position(field)
		found = append(found, DeclaredCheck{CustomCheck: check, Position: &Position{File: s.file, Line: line, Column: column}, source: s, field: field})
	}
	return found
}

// LoadChecks reads a CheckSet from a file. Mistakes in it are Problems.
func LoadChecks(path string) ([]DeclaredCheck, error) {
	text, err := loadText(path)
	if err != nil {
		return nil, err
	}
	return ParseChecks(path, text)
}

// loadText reads a file that may be as long as a document.
func loadText(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, pathless(err))
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maximumSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, pathless(err))
	}
	return text, nil
}

// ParseChecks reads a CheckSet from text; name stands in the messages. The error,
// if any, is Problems.
func ParseChecks(name string, text []byte) ([]DeclaredCheck, error) {
	var set CheckSet
	s, err := parseInto(name, text, KindCheckSet, &set)
	if err != nil {
		return nil, err
	}
	(&checker{source: s}).checkOwn("checks", set.Checks)
	if len(s.problems) > 0 {
		return nil, s.problems.sorted()
	}
	return declared(s, "checks", set.Checks), nil
}

// parseInto reads a document of a kind, strictly.
func parseInto(name string, text []byte, kind string, into any) (*source, error) {
	s := parseSource(name, text)
	if s.root != nil && s.isKind(kind) {
		s.fill(into)
	}
	if len(s.problems) > 0 {
		return nil, s.problems.sorted()
	}
	return s, nil
}
