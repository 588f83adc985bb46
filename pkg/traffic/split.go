package traffic

import (
	"fmt"
	"sort"
	"strings"
)

// Split is the share of new connections that each colour is given, in
// percent. The shares of a Split sum to 100.
type Split map[string]int

// Whole is the Split that gives everything to one colour.
func Whole(color string) Split { return Split{color: 100} }

// Between gives weight percent to target and the rest to other.
func Between(target, other string, weight int) Split {
	split := Split{}
	if weight > 0 {
		split[target] = weight
	}
	if weight < 100 {
		split[other] = 100 - weight
	}
	return split
}

// Sole returns the colour that is given everything, or "" when several
// colours share.
func (s Split) Sole() string {
	for color, weight := range s {
		if weight == 100 {
			return color
		}
	}
	return ""
}

// Equal reports whether both give every colour the same share.
func (s Split) Equal(other Split) bool { return s.String() == other.String() }

// Validate returns an error unless the shares are 0 to 100 and sum to 100.
func (s Split) Validate() error {
	sum := 0
	for color, weight := range s {
		if weight < 0 || weight > 100 {
			return fmt.Errorf("validate split %s: weight of %s is %d, expected 0 to 100", s, color, weight)
		}
		sum += weight
	}
	if sum != 100 {
		return fmt.Errorf("validate split %s: weights sum to %d, expected 100", s, sum)
	}
	return nil
}

// String writes the shares sorted by colour, without the zeros:
// blue=50,green=50. It is the form kept in bluegreen.dev/previous.
func (s Split) String() string {
	parts := make([]string, 0, len(s))
	for color, weight := range s {
		if weight != 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", color, weight))
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

// ParseSplit reads what String wrote and validates it.
func ParseSplit(text string) (Split, error) {
	split := Split{}
	for part := range strings.SplitSeq(text, ",") {
		color, weight, found := strings.Cut(part, "=")
		value := 0
		if _, err := fmt.Sscanf(weight, "%d", &value); !found || color == "" || err != nil || fmt.Sprint(value) != weight {
			return nil, fmt.Errorf("read split %q: expected colour=percent pairs, such as blue=50,green=50", text)
		}
		if _, twice := split[color]; twice {
			return nil, fmt.Errorf("read split %q: %s stands twice", text, color)
		}
		split[color] = value
	}
	return split, split.Validate()
}
