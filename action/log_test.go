package action

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func newLog(values ...string) (*log, *bytes.Buffer) {
	out := &bytes.Buffer{}
	return &log{out: out, masks: masksOf(nil, words("--token", values))}, out
}

// words gives each value to a flag that holds a secret.
func words(flag string, values []string) []string {
	var all []string
	for _, value := range values {
		all = append(all, flag, value)
	}
	return all
}

func TestDisarmed(t *testing.T) {
	for line, want := range map[string]string{
		"plain":                       "plain",
		"a :: b":                      "a :: b",
		"::error::owned":              "| ::error::owned",
		" \t::set-output name=x::y":   "|  \t::set-output name=x::y",
		"\u00a0::error::owned":        "| \u00a0::error::owned", // .NET trims it too
		"at last ##[error]owned":      "at last # #[error]owned",
		"##[add-mask]x":               "# #[add-mask]x",
		"###[[##[error]]":             "## #[[# #[error]]",
		"::notice::x ##[error]y":      "| ::notice::x # #[error]y",
		":: is how a comment begins:": "| :: is how a comment begins:",
	} {
		if got := disarmed(line); got != want {
			t.Errorf("%q becomes %q, expected %q", line, got, want)
		}
	}
}

// armed matches what a runner takes for a command.
var armed = regexp.MustCompile(`^[\s\x{85}\p{Z}]*::|##\[`)

// However a text is cut into pieces, no line of what is written is a command, and
// nothing but what makes it harmless is added.
func TestNoTextIsACommand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.StringOf(rapid.SampledFrom([]rune{':', '#', '[', ' ', '\t', '\r', '\n', '\u0085', '\u2028', '\u00a0', 'a', ']'}))).Draw(t, "pieces")
		log, out := newLog()
		stream := log.stream()
		for _, piece := range pieces {
			_, _ = io.WriteString(stream, piece)
		}
		stream.Close()
		for _, line := range strings.FieldsFunc(out.String(), func(letter rune) bool { return letter == '\n' || letter == '\r' }) {
			if armed.MatchString(line) {
				t.Fatalf("%q is a command, of %q", line, pieces)
			}
		}
		text := strings.Join(pieces, "")
		letters := func(text string) string {
			return strings.NewReplacer(harmless, "", "# #[", "##[", "\r", "", "\n", "").Replace(text)
		}
		if !strings.Contains(text, "# #[") && letters(out.String()) != letters(text) {
			t.Fatalf("%q became %q", text, out)
		}
	})
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	log, out := newLog("canary-5b1f2a")
	stream := log.stream()
	for _, piece := range []string{"a can", "ary-5b", "1f2a b\nca", "nary-5b1f2a"} {
		fmt.Fprint(stream, piece)
	}
	stream.Close()
	fmt.Fprintln(log.commands(), "::error::canary-5b1f2a")
	if want := "a *** b\n***\n::error::***\n"; out.String() != want {
		t.Errorf("the log is %q, expected %q", out, want)
	}
}
