package statement

import (
	"strings"
	"unicode/utf8"
)

// scanner cuts text into tokens, by the rules of PostgreSQL's own scanner
// (src/backend/parser/scan.l) with standard_conforming_strings on.
type scanner struct {
	text     string
	offset   int
	at       Position
	tokens   []Token
	comments []Comment
	// commentEnds are the offsets after each comment.
	commentEnds []int
	// begins is the index of the first token of the current statement.
	begins int
}

// scan returns all tokens and comments of text, whose first character stands
// at a position.
func scan(text string, at Position) *scanner {
	s := &scanner{text: text, at: at}
	for s.skipSpace(); s.offset < len(s.text); s.skipSpace() {
		s.token()
	}
	return s
}

// to moves on to an offset, counting lines and columns.
func (s *scanner) to(offset int) {
	for passed := s.text[s.offset:offset]; passed != ""; {
		char, size := utf8.DecodeRuneInString(passed)
		passed = passed[size:]
		s.at.Column++
		if char == '\n' {
			s.at = Position{Line: s.at.Line + 1, Column: 1}
		}
	}
	s.offset = offset
}

func (s *scanner) rest() string { return s.text[s.offset:] }

func (s *scanner) skipSpace() {
	for s.offset < len(s.text) {
		rest := s.rest()
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			s.to(s.offset + 1)
		case strings.HasPrefix(rest, "\ufeff"): // a byte order mark
			s.to(s.offset + len("\ufeff"))
		case strings.HasPrefix(rest, "--"):
			s.comment(lineLength(rest))
		case strings.HasPrefix(rest, "/*"):
			length := blockCommentLength(rest)
			if length == 0 {
				s.add(Invalid, "a comment that does not end", len(rest))
				return
			}
			s.comment(length)
		default:
			return
		}
	}
}

func (s *scanner) comment(length int) {
	s.comments = append(s.comments, Comment{Text: s.rest()[:length], At: s.at})
	s.to(s.offset + length)
	s.commentEnds = append(s.commentEnds, s.offset)
}

func lineLength(text string) int {
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end
	}
	return len(text)
}

// blockCommentLength is the length of the comment that text begins with, in
// which others may nest; 0 when it has no end.
func blockCommentLength(text string) int {
	depth := 0
	for i := 0; i < len(text)-1; i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// add takes the next length bytes as a token.
func (s *scanner) add(kind Kind, value string, length int) {
	s.tokens = append(s.tokens, Token{Kind: kind, Value: value, At: s.at, start: s.offset, end: s.offset + length})
	s.to(s.offset + length)
}

func (s *scanner) token() {
	rest := s.rest()
	switch first := rest[0]; {
	case first == '\'':
		s.literal(0, false)
	case first == '"':
		s.quoted(0)
	case first == '$':
		s.dollar()
	case first == '\\':
		length := lineLength(rest)
		s.add(Meta, strings.TrimSpace(rest[:length]), length)
	case isDigit(first), first == '.' && len(rest) > 1 && isDigit(rest[1]):
		length := numberLength(rest)
		s.add(Number, rest[:length], length)
	case isLetter(first):
		s.word()
	default:
		s.symbol()
	}
}

// word is a keyword, a name, or the prefix of a string: E”, B”, X”, N”,
// U&” and U&"".
func (s *scanner) word() {
	rest := s.rest()
	length := 1
	for length < len(rest) && (isLetter(rest[length]) || isDigit(rest[length]) || rest[length] == '$') {
		length++
	}
	after := rest[length:]
	switch prefix := strings.ToLower(rest[:length]); {
	case length == 1 && strings.HasPrefix(after, "'") && strings.ContainsAny(prefix, "ebxn"):
		s.literal(1, prefix == "e")
	case prefix == "u" && strings.HasPrefix(after, "&'"):
		s.literal(2, false)
	case prefix == "u" && strings.HasPrefix(after, `&"`):
		s.quoted(2)
	default:
		s.add(Word, foldCase(rest[:length]), length)
	}
}

// foldCase is how PostgreSQL folds a name without quotes in a multi-byte
// encoding: ASCII letters alone.
func foldCase(name string) string {
	return strings.Map(func(char rune) rune {
		if char >= 'A' && char <= 'Z' {
			return char + 'a' - 'A'
		}
		return char
	}, name)
}

// literal is a string in single quotes after a prefix of some bytes.
func (s *scanner) literal(prefix int, escapes bool) {
	rest := s.rest()
	var value strings.Builder
	for i := prefix + 1; i < len(rest); i++ {
		switch {
		case escapes && rest[i] == '\\' && i+1 < len(rest):
			i++
			value.WriteByte(rest[i])
		case rest[i] == '\'' && i+1 < len(rest) && rest[i+1] == '\'':
			i++
			value.WriteByte('\'')
		case rest[i] == '\'':
			s.add(Literal, value.String(), i+1)
			return
		default:
			value.WriteByte(rest[i])
		}
	}
	s.add(Invalid, "a string that does not end", len(rest))
}

// quoted is a name in double quotes after a prefix of some bytes.
func (s *scanner) quoted(prefix int) {
	rest := s.rest()
	var value strings.Builder
	for i := prefix + 1; i < len(rest); i++ {
		switch {
		case rest[i] == '"' && i+1 < len(rest) && rest[i+1] == '"':
			i++
			value.WriteByte('"')
		case rest[i] == '"':
			s.add(Quoted, value.String(), i+1)
			return
		default:
			value.WriteByte(rest[i])
		}
	}
	s.add(Invalid, "a quoted name that does not end", len(rest))
}

// dollar is $tag$ text $tag$, a parameter such as $1, or nothing valid, such
// as the ${placeholder} of a migration tool.
func (s *scanner) dollar() {
	rest := s.rest()
	length := 1
	for length < len(rest) && (isLetter(rest[length]) || isDigit(rest[length])) {
		length++
	}
	if length > 1 && isDigit(rest[1]) {
		s.add(Number, rest[:length], length)
		return
	}
	if length == len(rest) || rest[length] != '$' {
		s.add(Invalid, "a placeholder that only the migration tool can fill in", length)
		return
	}
	tag := rest[:length+1]
	body, _, found := strings.Cut(rest[len(tag):], tag)
	if !found {
		s.add(Invalid, "a dollar-quoted string that does not end", len(rest))
		return
	}
	at, start := s.at, s.offset
	s.to(s.offset + len(tag))
	inside := s.at
	s.to(s.offset + len(body) + len(tag))
	s.tokens = append(s.tokens, Token{Kind: Literal, Value: body, At: at, Inside: inside, start: start, end: s.offset})
}

// symbol is a mark, or an operator: the longest run of its characters that no
// comment begins in.
func (s *scanner) symbol() {
	rest := s.rest()
	const operator = "+-*/<>=~!@#%^&|`?"
	length := 0
	for length < len(rest) && strings.IndexByte(operator, rest[length]) >= 0 &&
		!strings.HasPrefix(rest[length:], "--") && !strings.HasPrefix(rest[length:], "/*") {
		length++
	}
	switch {
	case length > 0:
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ":="), strings.HasPrefix(rest, ".."):
		length = 2
	case strings.IndexByte("()[],;.:", rest[0]) >= 0:
		length = 1
	default:
		s.add(Invalid, "a character that SQL does not have", 1)
		return
	}
	s.add(Symbol, rest[:length], length)
	if rest[0] == ';' {
		if copiesInline(s.tokens[s.begins:]) {
			s.to(endOfCopy(s.text, s.offset))
		}
		s.begins = len(s.tokens)
	}
}

// copiesInline reports whether the rows of a COPY follow it in the file.
func copiesInline(tokens []Token) bool {
	if len(tokens) < 3 || !tokens[0].Is("copy") {
		return false
	}
	for i, token := range tokens[:len(tokens)-1] {
		if token.Is("from") && tokens[i+1].Is("stdin") {
			return true
		}
	}
	return false
}

// endOfCopy is the offset after the line \. that ends the rows of a COPY.
func endOfCopy(text string, start int) int {
	_, rows, found := strings.Cut(text[start:], "\n\\.")
	if !found {
		return len(text)
	}
	return len(text) - len(rows)
}

func isDigit(char byte) bool { return char >= '0' && char <= '9' }

// isLetter reports whether a name may begin with it; every byte of a letter
// beyond ASCII counts as one.
func isLetter(char byte) bool {
	return char >= 'a' && char <= 'z' || char >= 'A' && char <= 'Z' || char == '_' || char >= 0x80
}

func numberLength(text string) int {
	length := 0
	for length < len(text) {
		char := text[length]
		sign := (char == '+' || char == '-') && length > 0 && (text[length-1] == 'e' || text[length-1] == 'E') && !strings.HasPrefix(text, "0x")
		range_ := char == '.' && length+1 < len(text) && text[length+1] == '.'
		if range_ || !isDigit(char) && !isLetter(char) && char != '.' && !sign {
			break
		}
		length++
	}
	return length
}
