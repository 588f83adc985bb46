package cluster

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// The two ways in which an API server repeats a value of an object that was sent.
var (
	// mistyped is a field of another type than its schema's, by structured-merge-diff
	// (typed/validate.go, typed/helpers.go). A scalar where a string is due is
	// printed as Go, on one line; all else as it is, however many lines that has.
	mistyped = regexp.MustCompile(`(expected (?:string|boolean|any scalar|list|map)), got (?:&?value\.[^\n]*|(?s:.*))`)
	// refused is a field whose value is not allowed, by apimachinery's field.Error:
	// the value stands behind it, quoted as in Go or as JSON.
	refused = regexp.MustCompile(`: (?:Invalid value|Unsupported value|Duplicate value|Not found|Too many|Too few): `)
)

// unvalued is an error of sending an object without the values that the API server
// repeats in it, any of which may be a secret: that of a Secret, of a variable of
// a pod's, or of a whole template. The path of a field stays, and says where
// to look. The original stays inside, for errors.Is and errors.As.
func unvalued(err error) error {
	if err == nil {
		return nil
	}
	sentence := mistyped.ReplaceAllString(withoutRefused(err.Error()), "$1")
	if sentence == err.Error() {
		return err
	}
	return &explained{sentence: sentence, cause: err}
}

// withoutRefused cuts the value out of each refusal of one.
func withoutRefused(text string) string {
	var kept strings.Builder
	for {
		found := refused.FindStringIndex(text)
		if found == nil {
			return kept.String() + text
		}
		kept.WriteString(text[:found[1]-len(": ")])
		text = text[found[1]:]
		text = text[valueLength(text):]
	}
}

// valueLength is how long the value is that a text begins with: all of the text
// where that can't be told.
func valueLength(text string) int {
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		return len(quoted)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(new(json.RawMessage)); err != nil {
		return len(text)
	}
	return int(decoder.InputOffset())
}
