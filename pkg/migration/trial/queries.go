package trial

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// largest bounds, in bytes, what is read of queries.
const largest = 8 << 20

// Query is one query of the old version.
type Query struct {
	File string
	// Name is the one that a comment such as sqlc's gives it, "" for none.
	Name string
	Text statement.Statement
}

// ReadQueries reads a file of queries: separated by semicolons, and each named by
// a comment "-- name: NAME" before it where one stands there.
func ReadQueries(path string) ([]Query, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the queries: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largest+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the queries: %w", err)
	case len(text) > largest:
		return nil, fmt.Errorf("read the queries: %s is larger than %d MiB", path, largest>>20)
	}
	return parseQueries(path, string(text)), nil
}

// parseQueries reads each part that begins with a name by itself, so that a
// semicolon between two may be missing.
func parseQueries(path, text string) []Query {
	name := regexp.MustCompile(`^\s*--\s*name:\s*(\S+)`)
	lines := strings.Split(text, "\n")
	var queries []Query
	add := func(called string, from, to int) {
		part := make([]string, len(lines)) // what stays keeps its lines
		copy(part[from:to], lines[from:to])
		for _, one := range statement.Split(strings.Join(part, "\n")) {
			queries = append(queries, Query{File: path, Name: called, Text: one})
		}
	}
	called, from := "", 0
	for number, line := range lines {
		if match := name.FindStringSubmatch(line); match != nil {
			add(called, from, number)
			called, from = match[1], number
		}
	}
	add(called, from, len(lines))
	return queries
}
