package action

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
)

// fileCommand appends NAME=VALUE to a file that the runner reads: outputs and
// state. The delimiter is drawn until it does not stand in the value, so that no
// value can end itself and begin another.
func fileCommand(path, name, value string, draw func() string) error {
	if path == "" {
		return errors.New("the runner names no file for it")
	}
	delimiter := draw()
	for strings.Contains(value, delimiter) {
		delimiter = draw()
	}
	return appendTo(path, fmt.Sprintf("%s<<%s\n%s\n%s\n", name, delimiter, value, delimiter))
}

// delimiter is one that nobody can guess.
func delimiter() string { return "bluegreen-" + rand.Text() }

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// mostSummary is how much the summary of a step holds, in bytes: of one that is
// longer GitHub shows nothing.
const mostSummary = 1 << 20

// summarise appends to the summary of the step, as far as there is room. The rest
// is in a folder, which is said.
func summarise(path, text, rest string) error {
	if path == "" {
		return errors.New("GITHUB_STEP_SUMMARY is not set")
	}
	room := mostSummary
	if there, err := os.Stat(path); err == nil {
		room -= int(there.Size())
	}
	return appendTo(path, within(text+"\n", room, rest))
}

// within is as many whole lines of a Markdown text as there is room for, in
// bytes, with what they have opened closed again. What is left out is said, with
// where it is, where there is room for that.
func within(text string, room int, rest string) string {
	if len(text) <= room {
		return text
	}
	notice := "\n\nThe rest is left out, for there is no more room here. All of it is in " + rest + ".\n"
	const closing = "\n````\n</details>\n"
	room -= len(notice) + len(closing)
	if room < 0 {
		return ""
	}
	text = text[:strings.LastIndexByte(text[:room], '\n')+1]
	if fence := openFence(text); fence != "" {
		text += fence + "\n"
	}
	if strings.Count(text, "<details>") > strings.Count(text, "</details>") {
		text += "\n</details>\n"
	}
	return text + notice
}

// openFence is the fence of the code at which a text ends, "" where it ends in
// none.
func openFence(text string) string {
	open := ""
	for line := range strings.Lines(text) {
		fence := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case open == "" && len(fence) >= 3:
			open = fence
		case open != "" && strings.TrimSpace(line) == open:
			open = ""
		}
	}
	return open
}
