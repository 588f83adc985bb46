package statement

import "strings"

// Statement is one statement of a file.
type Statement struct {
	// Text is the statement as it stands in the file, without its semicolon.
	Text string
	At   Position
	// Tokens are its words, without the semicolon.
	Tokens []Token
	// Comments are those before it, inside it, and behind it on its last line.
	Comments []Comment
	// Changes are what it does, in order. A statement that only reads has one
	// of the kind Data.
	Changes []Change
	// Unread says why the statement could not be read; "" when it was.
	Unread string
	// UnreadAt is where reading it ended.
	UnreadAt Position
}

// Split cuts the text of a file into statements and reads each.
func Split(text string) []Statement { return splitAt(text, Position{Line: 1, Column: 1}, 0) }

// splitAt reads text that begins at a position, inside so many bodies of code.
func splitAt(text string, at Position, depth int) []Statement {
	scanned := scan(text, at)
	statements := cut(scanned)
	attach(statements, scanned)
	for i := range statements {
		statements[i].read(depth)
	}
	return statements
}

// cut ends a statement at each semicolon that stands neither in parentheses
// nor in a body between BEGIN ATOMIC and END, as psql does it.
func cut(scanned *scanner) []Statement {
	var statements []Statement
	var current []Token
	parentheses, blocks := 0, 0
	end := func() {
		if len(current) > 0 {
			first, last := current[0], current[len(current)-1]
			statements = append(statements, Statement{Text: scanned.text[first.start:last.end], At: first.At, Tokens: current})
		}
		current, parentheses, blocks = nil, 0, 0
	}
	for _, token := range scanned.tokens {
		switch {
		case token.Kind == Meta && len(current) == 0:
			current = []Token{token}
			end()
			continue
		case token.Is("("):
			parentheses++
		case token.Is(")"):
			parentheses = max(0, parentheses-1)
		case token.Is("atomic") && len(current) > 0 && current[len(current)-1].Is("begin"):
			blocks++
		case token.Is("case") && blocks > 0:
			blocks++
		case token.Is("end") && blocks > 0:
			blocks--
		case token.Is(";") && parentheses == 0 && blocks == 0:
			end()
			continue
		}
		current = append(current, token)
	}
	end()
	return statements
}

// attach gives every comment to the statement that it stands before or in, or,
// where it follows one on its last line, to that one.
func attach(statements []Statement, scanned *scanner) {
	next, counted, line := 0, -1, 0
	for i, comment := range scanned.comments {
		end := scanned.commentEnds[i]
		for next < len(statements) && statements[next].lastOffset() < end {
			next++
		}
		owner := next
		if owner > 0 && counted != owner-1 {
			counted, line = owner-1, statements[owner-1].lastLine()
		}
		if owner > 0 && line == comment.At.Line {
			owner--
		}
		if owner < len(statements) {
			statements[owner].Comments = append(statements[owner].Comments, comment)
		}
	}
}

func (s *Statement) lastOffset() int { return s.Tokens[len(s.Tokens)-1].end }

// lastLine is the line on which the last word of the statement begins and,
// where that is a string of several lines, ends.
func (s *Statement) lastLine() int {
	return s.At.Line + strings.Count(s.Text, "\n")
}
