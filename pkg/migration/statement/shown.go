package statement

import "strings"

// concealed stands for a string constant in what people are shown.
const concealed = "'…'"

// Shown is the statement as it stands in the file, on one line, without its
// comments and without what its string constants hold: a password, a
// connection string, code that holds one. What a scanner does not understand
// may be such a string too.
func (s *Statement) Shown() string {
	var text strings.Builder
	for i, token := range s.Tokens {
		if i > 0 && token.start > s.Tokens[i-1].end {
			text.WriteByte(' ')
		}
		text.WriteString(s.shown(token))
	}
	return text.String()
}

func (s *Statement) shown(token Token) string {
	first := s.Tokens[0].start
	source := s.Text[token.start-first : token.end-first]
	switch {
	case token.Kind == Literal, token.Kind == Meta:
		return token.shown()
	case token.Kind == Invalid && len(source) > 1:
		return "…"
	default:
		return source
	}
}

// shown is the token as SQL, without what a string constant holds.
func (t Token) shown() string {
	switch t.Kind {
	case Quoted:
		return `"` + strings.ReplaceAll(t.Value, `"`, `""`) + `"`
	case Literal:
		return concealed
	case Meta:
		return t.command() + " …"
	default:
		return t.Value
	}
}

// command is the name of a command of psql.
func (t Token) command() string {
	end := 1
	for end < len(t.Value) && (isLetter(t.Value[end]) || end == 1 && t.Value[end] == '!') {
		end++
	}
	return t.Value[:end]
}
