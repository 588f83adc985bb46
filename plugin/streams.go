package plugin

import (
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Streams are the three standard streams and what is known of them.
type Streams struct {
	genericiooptions.IOStreams

	out, err style
}

// StandardStreams are the streams of the process.
func StandardStreams() Streams {
	return Streams{IOStreams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}}
}

// styled finds out, once, what may be written to each stream.
func (s Streams) styled(environment Environment) Streams {
	s.out = styleOf(environment, s.Out)
	s.err = styleOf(environment, s.ErrOut)
	return s
}

// style is what a stream can show.
type style struct {
	terminal bool
	color    bool
	unicode  bool
	// width is the columns of the terminal, 0 when it is none.
	width int
}

func styleOf(environment Environment, stream io.Writer) style {
	found := style{unicode: unicodeLocale(environment)}
	file, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return found
	}
	found.terminal = true
	found.width = 80
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		found.width = width
	}
	noColor, _ := environment.LookupEnv("NO_COLOR") // https://no-color.org: present and not empty
	terminal, _ := environment.LookupEnv("TERM")
	found.color = noColor == "" && terminal != "dumb"
	return found
}

// unicodeLocale reports whether the locale of the process can show more than
// ASCII, by the precedence that POSIX gives its variables.
func unicodeLocale(environment Environment) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value, _ := environment.LookupEnv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return runtime.GOOS == "darwin"
}

// paint is one colour of a terminal (ECMA-48, Select Graphic Rendition).
type paint string

const (
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	cyan   paint = "36"
)

// in returns text in a colour, where the stream has colours.
func (s style) in(color paint, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + string(color) + "m" + text + "\x1b[0m"
}
