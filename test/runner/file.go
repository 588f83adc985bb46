package runner

import (
	"fmt"
	"strings"
)

// parse reads a file of commands as the runner does: NAME=VALUE in a line, or
// NAME<<DELIMITER, the lines of the value, and a line of the delimiter alone. The
// last value of a name counts.
func parse(text string) (map[string]string, error) {
	values := map[string]string{}
	lines := strings.Split(text, "\n")
	for at := 0; at < len(lines); at++ {
		line := lines[at]
		name, delimiter, several := strings.Cut(line, "<<")
		if simple, value, one := strings.Cut(line, "="); one && (!several || len(simple) < len(name)) {
			values[simple] = value
			continue
		}
		if !several {
			if line == "" {
				continue
			}
			return nil, fmt.Errorf("read line %d: expected NAME=VALUE or NAME<<DELIMITER, not %q", at+1, line)
		}
		var value []string
		for at++; at < len(lines) && lines[at] != delimiter; at++ {
			value = append(value, lines[at])
		}
		if at == len(lines) {
			return nil, fmt.Errorf("read %s: no line is its delimiter, %q", name, delimiter)
		}
		values[name] = strings.Join(value, "\n")
	}
	return values, nil
}
