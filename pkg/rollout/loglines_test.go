package rollout

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A line that was cut may hold half a secret, so it is left out.
func TestWholeLines(t *testing.T) {
	away := errors.New("away")
	for name, test := range map[string]struct {
		log    io.Reader
		limit  int64
		want   []string
		failed error
	}{
		"all of it":                     {strings.NewReader("one\ntwo\n"), 100, []string{"one\n", "two\n"}, nil},
		"it ends without a break":       {strings.NewReader("one\ntwo"), 100, []string{"one\n", "two"}, nil},
		"the limit cuts a line":         {strings.NewReader("one\nplan"), 8, []string{"one\n"}, nil},
		"the limit is the end of one":   {strings.NewReader("one\ntwo\n"), 8, []string{"one\n", "two\n"}, nil},
		"the connection breaks":         {io.MultiReader(strings.NewReader("one\nplan"), iotest.ErrReader(away)), 100, []string{"one\n"}, away},
		"no more is wanted":             {strings.NewReader("one\nstop\ntwo\n"), 100, []string{"one\n", "stop\n"}, nil},
		"nothing was logged":            {strings.NewReader(""), 100, nil, nil},
		"one line, longer than buffers": {strings.NewReader(strings.Repeat("x", 100000)), 200000, []string{strings.Repeat("x", 100000)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := wholeLines(test.log, test.limit, func(line string) (bool, error) {
				got = append(got, line)
				return line != "stop\n", nil
			})
			if !errors.Is(err, test.failed) || !slices.Equal(got, test.want) {
				t.Errorf("%.100q, %v", got, err)
			}
		})
	}
	if err := wholeLines(strings.NewReader("one\ntwo\n"), 100, func(string) (bool, error) { return true, away }); !errors.Is(err, away) {
		t.Errorf("the disk is full: %v", err)
	}
}

// Both who quote and who keep a log go by whole lines.
func TestNoCutLineIsQuotedOrKept(t *testing.T) {
	full := func(limit int64) io.Reader {
		const last = "\npanic: plan"
		return strings.NewReader(strings.Repeat("x", int(limit)-len(last)) + last)
	}
	found, err := firstMatch(full(startupLogBytes), time.Time{}, []*regexp.Regexp{regexp.MustCompile("panic")}, unsilenced)
	if err != nil || found != "" {
		t.Errorf("quoted %q, %v", found, err)
	}
	text := strings.Builder{}
	keep := keeping{secrets: redaction{Redactor: release.NewRedactor("planted")}}
	if err := keep.copy(&text, full(preservedLogBytes)); err != nil || strings.Contains(text.String(), "plan") {
		t.Errorf("kept %q at its end, %v", text.String()[text.Len()-20:], err)
	}
}
