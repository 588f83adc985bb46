// Package shell writes words of lines that a person pastes into a POSIX shell.
package shell

import (
	"regexp"
	"strings"
)

// plain matches what every POSIX shell takes as one word and as it stands.
var plain = regexp.MustCompile(`^[A-Za-z0-9_%+=:,./@-]+$`)

// Word is a text as one word, quoted where a shell would make something else of it.
func Word(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
