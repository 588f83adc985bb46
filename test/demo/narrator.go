package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// lineWidth is how wide the story's own sentences are.
const lineWidth = 88

// narrator writes the story: its own words at the margin, commands and their
// output indented.
type narrator struct{ out io.Writer }

// chapter begins one.
func (n narrator) chapter(number int, title string) {
	heading := fmt.Sprintf("%d. %s", number, title)
	fmt.Fprintf(n.out, "\n%s\n%s\n", heading, strings.Repeat("─", utf8.RuneCountInString(heading)))
}

// say writes a paragraph.
func (n narrator) say(format string, args ...any) {
	fmt.Fprintf(n.out, "\n%s\n", wrap(fmt.Sprintf(format, args...), lineWidth))
}

// result writes a line that says what came of something.
func (n narrator) result(format string, args ...any) {
	fmt.Fprintf(n.out, "  => %s\n", fmt.Sprintf(format, args...))
}

// command writes a command as it is typed.
func (n narrator) command(line string) { fmt.Fprintf(n.out, "\n  $ %s\n", line) }

// wrap breaks a paragraph into lines.
func wrap(text string, width int) string {
	var wrapped strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		size := utf8.RuneCountInString(word)
		switch {
		case length == 0:
		case length+1+size > width:
			wrapped.WriteByte('\n')
			length = 0
		default:
			wrapped.WriteByte(' ')
			length++
		}
		wrapped.WriteString(word)
		length += size
	}
	return wrapped.String()
}

// outputWidth is where lines of a command's output are folded.
const outputWidth = 116

// fold breaks a line of output, and indents what follows the first part.
func fold(line string, width int) []string {
	const indent = "        "
	var parts []string
	for utf8.RuneCountInString(line) > width {
		runes := []rune(line)
		end := width
		for end > len(indent) && runes[end] != ' ' {
			end--
		}
		if end == len(indent) {
			break // one long word
		}
		parts = append(parts, string(runes[:end]))
		line = indent + string(runes[end+1:])
	}
	return append(parts, line)
}

// excerpt writes the lines of a command's output that a filter lets through,
// indented, as soon as they are complete. It keeps all of them.
type excerpt struct {
	out  io.Writer
	show filter

	mu      sync.Mutex
	partial []byte
	all     bytes.Buffer
}

// Write implements io.Writer.
func (e *excerpt) Write(text []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all.Write(text)
	e.partial = append(e.partial, text...)
	for {
		end := bytes.IndexByte(e.partial, '\n')
		if end < 0 {
			return len(text), nil
		}
		e.line(string(e.partial[:end]))
		e.partial = e.partial[end+1:]
	}
}

func (e *excerpt) line(line string) {
	if e.show != nil && !e.show.shows(line) {
		return
	}
	if line == "" {
		fmt.Fprintln(e.out)
		return
	}
	for _, part := range fold(line, outputWidth) {
		fmt.Fprintf(e.out, "    %s\n", part)
	}
}

// finish writes what is left of the last line, and what was left out, and
// returns everything.
func (e *excerpt) finish() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.partial) > 0 {
		e.line(string(e.partial))
		e.partial = nil
	}
	if e.show != nil {
		fmt.Fprintf(e.out, "    (%s)\n", e.show.leftOut())
	}
	return e.all.String()
}
