package postgres

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// command is what a container runs in the end: a program, by the last part of its
// path, and what follows its name.
type command struct {
	name  string
	words []string
}

var (
	shellName  = regexp.MustCompile(`^(ba|da|a|z|k)?sh$`)
	shellLine  = regexp.MustCompile(`^-[a-z]*c$`)
	separator  = regexp.MustCompile(`\n|;|&&|\|\||&`)
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	number     = regexp.MustCompile(`^[0-9]+[smh]?$`)
	// idles matches what ends a shell's line and runs nothing of the application.
	idles = regexp.MustCompile(`^(wait|fg|exit|true|false|fi|done|esac|\}|echo|sleep|:)$`)
	// starts matches what stands before the name of a program, or runs the program
	// whose name comes after its own.
	starts = regexp.MustCompile(`^(exec|then|else|do|\{|\(|!|env|nohup|time|timeout|nice|setsid|stdbuf|tini|dumb-init|catatonit|bundle|poetry|pipenv|pdm|uv|rye|hatch|run|` +
		`python[0-9.]*|ruby|opentelemetry-instrument|ddtrace-run|ddprof-run|newrelic-admin|run-program|jemalloc-run|.*entrypoint|.*\.sh)$`)
	// startsAs matches those of them that take a user's name first.
	startsAs = regexp.MustCompile(`^(gosu|su-exec|setpriv)$`)
	// packaged matches those that run what a package brings, or a script of their own.
	packaged = regexp.MustCompile(`^(npx|yarn|pnpm|bunx|dlx)$`)
)

// command reads it from a container's command and arguments, of a shell's line from
// the last part: what comes before has ended by then. Its name is "" where there is
// none.
func (e environment) command() command {
	parts := [][]string{nil}
	for i := 0; i < len(e.arguments); i++ {
		if line, is := e.shellLine(i); is {
			parts = partsOf(line)
			break
		}
		parts[0] = append(parts[0], strings.Fields(e.arguments[i].value)...)
	}
	for _, part := range slices.Backward(parts) {
		if found := started(part); found.name != "" && !idles.MatchString(found.name) {
			return found
		}
	}
	return command{}
}

// shellLine is the line that the argument at a place is, if it is a shell's, with what
// follows it where it runs that.
func (e environment) shellLine(at int) (line string, is bool) {
	shell := func(argument variable) bool { return shellName.MatchString(path.Base(argument.value)) }
	if at < 2 || !shellLine.MatchString(e.arguments[at-1].value) || !slices.ContainsFunc(e.arguments[:at-1], shell) {
		return "", false
	}
	var rest []string
	for _, argument := range e.arguments[min(at+2, len(e.arguments)):] { // past the name that the shell gets
		rest = append(rest, argument.value)
	}
	return strings.ReplaceAll(e.arguments[at].value, `"$@"`, strings.Join(rest, " ")), true
}

// partsOf are the words of each command of a shell's line, of a pipe those of the
// first.
func partsOf(line string) [][]string {
	var parts [][]string
	line = strings.NewReplacer("\\\n", " ", "2>&1", "", ">&2", "").Replace(line)
	for _, part := range separator.Split(line, -1) {
		part, _, _ = strings.Cut(part, "|")
		parts = append(parts, strings.Fields(part))
	}
	return parts
}

// started is the program that words start, past what starts it.
func started(words []string) command {
	for i := 0; i < len(words); i++ {
		base := path.Base(words[i])
		switch {
		case startsAs.MatchString(base):
			i++
		case strings.HasPrefix(words[i], "-"), assignment.MatchString(words[i]), number.MatchString(words[i]), starts.MatchString(base):
		case packaged.MatchString(base):
			if inner := started(words[i+1:]); forks(inner.name) {
				return inner
			}
			return command{base, words[i+1:]}
		default:
			return command{base, words[i+1:]}
		}
	}
	return command{}
}
