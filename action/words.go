package action

import (
	"errors"
	"strings"
	"unicode"
)

// errUnclosed and errEscape are what may be wrong with a text of words.
var (
	errUnclosed = errors.New("a quote is not closed")
	errEscape   = errors.New("a backslash at the end escapes nothing")
)

// split takes a text apart as a shell does, of whose rules it knows quotes and
// backslashes alone: nothing is expanded, and nothing is run. Words end at white
// space, line breaks included.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	begun, escaped := false, false
	for _, letter := range text {
		switch {
		case escaped:
			// In double quotes a backslash is itself, but before what ends them or escapes.
			if quote == '"' && letter != '"' && letter != '\\' {
				word.WriteRune('\\')
			}
			word.WriteRune(letter)
			escaped = false
		case letter == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && letter == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(letter)
		case letter == '\'' || letter == '"':
			quote, begun = letter, true
		case unicode.IsSpace(letter):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(letter)
			begun = true
		}
	}
	switch {
	case quote != 0:
		return nil, errUnclosed
	case escaped:
		return nil, errEscape
	case begun:
		words = append(words, word.String())
	}
	return words, nil
}
