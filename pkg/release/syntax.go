package release

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
)

var syntaxLine = regexp.MustCompile(`^(?:line (\d+): )?(.*)$`)

// SyntaxLine is the line of the mistake that keeps a text from being YAML, 0 where
// there is none, or where the parser doesn't say.
func SyntaxLine(text []byte) int {
	line, _ := syntaxMistake(text)
	return line
}

// syntaxMistake is the mistake that keeps a text from being YAML, and its line, 0
// where the parser doesn't say. What the parser of the YAML package itself refuses,
// as opposed to its scanner, it tells with lines that count from 0, and with the
// line at which the block began that the mistake stands in, which may be far above.
func syntaxMistake(text []byte) (line int, message string) {
	_, err := decodeDocuments(text)
	if err == nil {
		return 0, ""
	}
	match := syntaxLine.FindStringSubmatch(strings.TrimPrefix(err.Error(), "yaml: "))
	if match == nil {
		return 0, strings.TrimPrefix(err.Error(), "yaml: ")
	}
	line, _ = strconv.Atoi(match[1]) // 0 where there is none
	switch message = match[2]; message {
	case "did not find expected key", "did not find expected '-' indicator", "did not find expected <document start>":
		return firstRefused(text, message), message
	case "did not find expected ',' or ']'", "did not find expected ',' or '}'", "did not find expected node content":
		return min(line+1, lastLine(text)), message
	}
	return line, message
}

// lastLine is the last one in which anything stands.
func lastLine(text []byte) int {
	return 1 + strings.Count(strings.TrimSpace("-"+string(text)), "\n")
}

// firstRefused is the first line with which a text is refused for a mistake. The
// lines before it are not: at their end every block ends.
func firstRefused(text []byte, mistake string) int {
	lines := strings.SplitAfter(string(text), "\n")
	return 1 + sort.Search(len(lines)-1, func(count int) bool {
		_, err := decodeDocuments([]byte(strings.Join(lines[:count+1], "")))
		return err != nil && strings.HasSuffix(err.Error(), mistake)
	})
}
