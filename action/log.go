package action

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode"
)

// log is the step's log, which the runner reads for commands: a line that begins
// with ::, after white space, and one that holds ##[ anywhere
// (actions/runner:src/Runner.Common/ActionCommand.cs). Only what goes through
// commands is one; what others wrote is made harmless.
type log struct {
	mutex sync.Mutex
	out   io.Writer
	masks *masks
}

// harmless is put before a line that would be a command.
const harmless = "| "

// stream is for text of any kind. It writes whole lines; what is left at the end
// is written by Close.
func (l *log) stream() io.WriteCloser { return &lines{log: l} }

// commands is for commands to the runner, each with its line break.
func (l *log) commands() io.Writer { return issued{l} }

type issued struct{ log *log }

// Write writes one command. A stream that is gone has nobody to tell.
func (i issued) Write(command []byte) (int, error) {
	i.log.mutex.Lock()
	defer i.log.mutex.Unlock()
	text := string(command)
	if !strings.HasPrefix(text, "::add-mask::") {
		text = i.log.masks.hide(text)
	}
	_, _ = io.WriteString(i.log.out, text)
	return len(command), nil
}

// lines is a stream of text that may have come in pieces.
type lines struct {
	log     *log
	pending []byte
}

// Write keeps what is no whole line yet. A reader takes a carriage return alone
// for the end of a line too.
func (l *lines) Write(text []byte) (int, error) {
	l.log.mutex.Lock()
	defer l.log.mutex.Unlock()
	l.pending = append(l.pending, text...)
	for {
		end := bytes.IndexAny(l.pending, "\r\n")
		if end < 0 {
			return len(text), nil
		}
		l.line(string(l.pending[:end]))
		if bytes.HasPrefix(l.pending[end:], []byte("\r\n")) {
			end++
		}
		l.pending = l.pending[end+1:]
	}
}

// Close writes what is left.
func (l *lines) Close() error {
	l.log.mutex.Lock()
	defer l.log.mutex.Unlock()
	if len(l.pending) > 0 {
		l.line(string(l.pending))
	}
	l.pending = nil
	return nil
}

func (l *lines) line(text string) {
	_, _ = io.WriteString(l.log.out, disarmed(l.log.masks.hide(text))+"\n")
}

// disarmed is a line that is no command to the runner.
func disarmed(line string) string {
	if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") {
		line = harmless + line
	}
	return strings.ReplaceAll(line, "##[", "# #[")
}
