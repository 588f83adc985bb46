package dialect

// Transaction is what a tool runs in one transaction by itself.
type Transaction int

// The ways.
const (
	// Autocommit: every statement is a transaction, unless the file begins one.
	Autocommit Transaction = iota
	// Whole: the tool begins a transaction around the section.
	Whole
	// Message: the tool sends the section as one message, which PostgreSQL
	// runs in one transaction if it holds more than one statement.
	Message
	// UnlessRefused: as Whole, unless a statement is one that PostgreSQL
	// refuses inside a transaction.
	UnlessRefused
)

// Section is a part of a migration that is applied at once.
type Section struct {
	// Text is the file with all that is not the section's blanked out, so
	// that what is left keeps its lines and columns.
	Text        string
	Transaction Transaction
	// Down takes the section back; Keeps reports whether the tool has such
	// a thing at all.
	Down  string
	Keeps bool
}

// Migration is one migration in the order in which it is applied.
type Migration struct {
	// Path is the file, as it was reached from the argument.
	Path string
	// Dialect is the name of the tool whose file it is.
	Dialect string
	// Session reports whether the tool applies the migrations after each
	// other in one session, so that settings last.
	Session  bool
	Sections []Section
	// Named: the file itself was an argument, or --since chose it.
	Named bool
}
