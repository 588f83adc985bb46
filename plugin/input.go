package plugin

import (
	"fmt"
	"io"
)

// maximumInput bounds what is read from stdin. A Release is a few kilobytes.
const maximumInput = 1 << 20

// readAll reads a document from a stream.
func readAll(stream io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(stream, maximumInput+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maximumInput {
		return nil, fmt.Errorf("more than %d bytes on stdin", maximumInput)
	}
	return text, nil
}
