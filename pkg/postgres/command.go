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

// command is the last one of a container that serves, if any does, for what comes
// behind it in a shell's line only waits for it, or is another branch; else the last
// one. Its name is "" where there is none.
func (e environment) command() command {
	found := e.commands()
	if serving := slices.IndexFunc(found, command.serves); serving >= 0 {
		return found[serving]
	}
	if len(found) == 0 {
		return command{}
	}
	return found[0]
}

// commands reads them from a container's command and arguments, of a shell's line each
// part, the last one first.
func (e environment) commands() []command {
	parts := [][]string{nil}
	for i := 0; i < len(e.arguments); i++ {
		if line, is := e.shellLine(i); is {
			parts = partsOf(line)
			break
		}
		parts[0] = append(parts[0], strings.Fields(e.arguments[i].value)...)
	}
	var found []command
	for _, part := range slices.Backward(parts) {
		if one := started(part); one.name != "" && !idles.MatchString(one.name) {
			found = append(found, one)
		}
	}
	return found
}

// serves reports whether it is a server that forks, and not another of its tasks.
func (c command) serves() bool {
	tasks := map[string][]string{"rails": {"server", "s"}, "celery": {"worker"}}[c.name]
	return forks(c.name) && (tasks == nil || slices.ContainsFunc(c.words, func(word string) bool { return slices.Contains(tasks, word) }))
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

// started is the program that words start, past what starts it. What is not known may
// start another one too, as sudo and doppler run do.
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
		case isKnown(base):
			return command{base, words[i+1:]}
		default:
			if inner := slices.IndexFunc(words[i+1:], isProgram); inner >= 0 {
				return started(words[i+1+inner:])
			}
			return command{base, words[i+1:]}
		}
	}
	return command{}
}

// isKnown reports whether it is known of a program how many processes it runs as.
func isKnown(name string) bool { return forks(name) || singleCommand.MatchString(name) }

// isProgram reports whether a word is such a program, and no folder of its name.
func isProgram(word string) bool {
	folder, name := path.Split(word)
	return isKnown(name) && (folder == "" || strings.HasSuffix(folder, "bin/"))
}
