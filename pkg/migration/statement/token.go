package statement

// Position is a place in a file; both count from 1, columns in characters.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// before reports whether a position comes before another in one file.
func (p Position) before(other Position) bool {
	return p.Line < other.Line || p.Line == other.Line && p.Column < other.Column
}

// Kind is what a token is.
type Kind int

// The kinds of tokens.
const (
	// Word is a keyword or a name without quotes; its Value is lower-case.
	Word Kind = iota
	// Quoted is a name in double quotes.
	Quoted
	// Literal is a string constant of any notation; its Value is the string.
	Literal
	// Number is a numeric constant.
	Number
	// Symbol is an operator or a mark such as ( , ; or ::.
	Symbol
	// Meta is a command of psql, such as \i file, up to the end of its line.
	Meta
	// Invalid is what no scanner of PostgreSQL accepts.
	Invalid
)

// Token is one word of SQL.
type Token struct {
	Kind  Kind
	Value string
	At    Position
	// Inside is where the text of a dollar-quoted string begins; zero for
	// every other token. There Value stands in the file as it is.
	Inside Position

	start, end int
}

// Comment is one comment, with its marks.
type Comment struct {
	Text string
	At   Position
}

// Is reports whether the token is this keyword, or this symbol.
func (t Token) Is(value string) bool {
	return (t.Kind == Word || t.Kind == Symbol) && t.Value == value
}
