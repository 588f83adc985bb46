package rollout

import (
	"bufio"
	"errors"
	"io"
)

// wholeLines goes through the lines of a log of which at most limit bytes were
// asked for, until there are no more or none are wanted. The line that the limit
// cuts, or a connection that breaks, is left out: half a secret is not known by
// its value.
func wholeLines(log io.Reader, limit int64, each func(line string) (more bool, err error)) error {
	lines, read := bufio.NewReader(log), int64(0)
	for {
		line, err := lines.ReadString('\n')
		read += int64(len(line))
		ended := errors.Is(err, io.EOF)
		switch {
		case err != nil && !ended:
			return err
		case ended && (line == "" || read >= limit):
			return nil
		}
		if more, err := each(line); err != nil || !more || ended {
			return err
		}
	}
}
