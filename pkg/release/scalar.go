package release

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// placeIn is the line and column in a document at which the rune with the number
// offset of a text stands. A text may be indented, folded, quoted and escaped, so
// it is followed through the document: each rune that is no white space stands
// there in the same order.
func placeIn(document []byte, node *yaml.Node, offset int) (line, column int) {
	cursor := cursorAt(document, node)
	runes := []rune(node.Value)
	for index := range runes {
		if unicode.IsSpace(runes[index]) {
			continue
		}
		if !cursor.find(runes[index]) {
			return node.Line, node.Column
		}
		line, column = cursor.line+1, cursor.column+1
		if index >= offset {
			return line, column
		}
		cursor.pass()
	}
	return cursor.line + 1, cursor.column + 1 // after the end
}

// cursor is a place in a document, both from 0.
type cursor struct {
	lines        [][]rune
	line, column int
	// escaped: a backslash begins an escape.
	escaped bool
	// width of the rune that was found, as it is written.
	width int
}

// cursorAt is where a text begins.
func cursorAt(document []byte, node *yaml.Node) *cursor {
	found := &cursor{line: node.Line - 1, column: node.Column - 1, escaped: node.Style&yaml.DoubleQuotedStyle != 0}
	for line := range strings.SplitSeq(string(document), "\n") {
		found.lines = append(found.lines, []rune(line))
	}
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		found.line, found.column = found.line+1, 0 // after its indicator
	case node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		found.column++
	}
	return found
}

// find goes to a rune from where the cursor is.
func (c *cursor) find(want rune) bool {
	for ; c.line < len(c.lines); c.line, c.column = c.line+1, 0 {
		for ; c.column < len(c.lines[c.line]); c.pass() {
			letter := c.lines[c.line][c.column]
			c.width = 1
			if c.escaped && letter == '\\' {
				c.width = c.escape()
				if c.width > 2 || c.column+1 < len(c.lines[c.line]) && c.lines[c.line][c.column+1] == want {
					return true
				}
				continue
			}
			if letter == want {
				return true
			}
		}
	}
	return false
}

// escape is how long the escape at the cursor is.
func (c *cursor) escape() int {
	if c.column+1 < len(c.lines[c.line]) {
		switch c.lines[c.line][c.column+1] {
		case 'x':
			return 4
		case 'u':
			return 6
		case 'U':
			return 10
		}
	}
	return 2
}

// pass goes behind what was found.
func (c *cursor) pass() { c.column, c.width = c.column+max(c.width, 1), 1 }
