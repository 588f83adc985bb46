package release

import "errors"

// Hinted is an error that carries a remedy: one command or one sentence,
// printed on a "hint:" line below the error.
type Hinted interface {
	error
	Hint() string
}

// hintedError is what WithHint returns.
type hintedError struct {
	err  error
	hint string
}

func (h *hintedError) Error() string { return h.err.Error() }
func (h *hintedError) Unwrap() error { return h.err }
func (h *hintedError) Hint() string  { return h.hint }

// WithHint adds a remedy to an error. A nil error stays nil, and an empty
// hint leaves the error as it is.
func WithHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hintedError{err: err, hint: hint}
}

// HintOf returns the outermost remedy that an error carries, or "".
func HintOf(err error) string {
	var hinted Hinted
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}
