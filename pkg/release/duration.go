package release

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Duration is a time.Duration written as people write it: 90s, 3m, 1h30m.
type Duration time.Duration

// Std returns the value as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String leaves out the zero units that time.Duration prints: 3m, not 3m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalJSON writes the value as a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads a string such as 90s; a bare number is refused, for
// its unit would be a guess.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read duration %s: expected text with a unit, such as 90s or 3m", data)
	}
	value, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("read duration %q: expected a number with a unit, such as 90s or 3m", text)
	}
	*d = Duration(value)
	return nil
}
