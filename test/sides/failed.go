package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
)

// Of a test that failed, so much is told again at the end: whoever reads the end
// of a long log finds what failed and why there.
const (
	lastLines = 8
	lastWidth = 400
)

var (
	// speaking is the line by which a test binary says whose lines follow.
	speaking = regexp.MustCompile(`^=== (?:RUN|NAME|CONT|PAUSE)\s+(\S+)`)
	ending   = regexp.MustCompile(`^\s*--- (FAIL|PASS|SKIP): (\S+)`)
)

// failed reads what one side prints, and keeps which tests failed and the last
// lines of each.
type failed struct {
	speaker string
	last    map[string][]string
	names   []string
	// broken are the tests, without their parts, that say that the product has broken
	// a promise: nothing is forgiven them.
	broken []string
}

func (f *failed) read(line string) {
	if ended := ending.FindStringSubmatch(line); ended != nil {
		if f.speaker = ""; ended[1] == "FAIL" {
			f.names = append(f.names, ended[2])
		}
		return
	}
	if spoken := speaking.FindStringSubmatch(line); spoken != nil {
		f.speaker = spoken[1]
		return
	}
	if test, _, _ := strings.Cut(f.speaker, "/"); strings.Contains(line, promise.Broken) && !slices.Contains(f.broken, test) {
		f.broken = append(f.broken, test)
	}
	f.last[f.speaker] = append(f.last[f.speaker], line[:min(len(line), lastWidth)])
	f.last[f.speaker] = f.last[f.speaker][max(0, len(f.last[f.speaker])-lastLines):]
}

// tell writes what failed, each behind a heading; nothing where nothing did.
func (f *failed) tell(out io.Writer, heading string) {
	for _, name := range f.names {
		fmt.Fprintln(out, heading+name)
		for _, line := range f.last[name] {
			fmt.Fprintln(out, "    "+line)
		}
	}
}
