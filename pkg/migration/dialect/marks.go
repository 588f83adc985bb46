package dialect

import (
	"regexp"
	"strings"
)

// blank keeps the lines of text from one number to before another, counted
// from 0, and empties the others.
func blank(lines []string, from, to int) string {
	kept := make([]string, len(lines))
	copy(kept[from:to], lines[from:to])
	return strings.Join(kept, "\n")
}

// mark is a line with which a part of a file begins.
type mark struct {
	line int
	// words are what stands behind the tool's own word, lower-case.
	words string
}

// marks finds the lines that a pattern matches; its first group is the words.
func marks(lines []string, pattern string) []mark {
	expression := regexp.MustCompile(pattern)
	var found []mark
	for number, line := range lines {
		if match := expression.FindStringSubmatch(line); match != nil {
			found = append(found, mark{line: number, words: strings.ToLower(strings.TrimSpace(match[1]))})
		}
	}
	return found
}

// upAndDown cuts a file at its marks for up and down.
func upAndDown(text, pattern string, begins func(words string) (up, down bool)) Section {
	lines := strings.Split(text, "\n")
	section := Section{Transaction: Whole, Keeps: true}
	found := marks(lines, pattern)
	for i, mark := range found {
		up, down := begins(mark.words)
		if !up && !down {
			continue
		}
		end := len(lines)
		for _, next := range found[i+1:] {
			if nextUp, nextDown := begins(next.words); nextUp || nextDown {
				end = next.line
				break
			}
		}
		part := blank(lines, mark.line+1, end)
		if up {
			section.Text = part
		} else {
			section.Down = part
		}
	}
	return section
}

func goose(f file) []Section {
	const pattern = `^\s*--\s*\+goose\s+(.*)`
	section := upAndDown(f.text, pattern, func(words string) (bool, bool) { return words == "up", words == "down" })
	for _, mark := range marks(strings.Split(f.text, "\n"), pattern) {
		if mark.words == "no transaction" {
			section.Transaction = Autocommit
		}
	}
	return []Section{section}
}

func dbmate(f file) []Section {
	const pattern = `^\s*--\s*migrate:(.*)`
	section := upAndDown(f.text, pattern, func(words string) (bool, bool) {
		return strings.HasPrefix(words, "up"), strings.HasPrefix(words, "down")
	})
	for _, mark := range marks(strings.Split(f.text, "\n"), pattern) {
		if strings.HasPrefix(mark.words, "up") && strings.Contains(mark.words, "transaction:false") {
			section.Transaction = Autocommit
		}
	}
	return []Section{section}
}

// liquibase has a section a changeset; its lines that begin with --rollback
// take it back.
func liquibase(f file) []Section {
	lines := strings.Split(f.text, "\n")
	found := marks(lines, `(?i)^\s*--\s*changeset\s+(.*)`)
	var sections []Section
	for i, mark := range found {
		end := len(lines)
		if i+1 < len(found) {
			end = found[i+1].line
		}
		section := Section{Text: blank(lines, mark.line+1, end), Transaction: Whole, Keeps: true}
		if strings.Contains(mark.words, "runintransaction:false") {
			section.Transaction = Autocommit
		}
		var down []string
		for _, rollback := range marks(lines[mark.line+1:end], `(?i)^\s*--\s*rollback\s+(.*)`) {
			down = append(down, rollback.words)
		}
		section.Down = strings.Join(down, "\n")
		sections = append(sections, section)
	}
	return sections
}
