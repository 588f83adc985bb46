package migration

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Version is a version of PostgreSQL. The zero value is one that is not known:
// then what any version from 12 to 18 does wrong is a finding.
type Version struct{ Major, Minor int }

// The versions that the rules know.
const (
	oldestMajor = 12
	newestMajor = 18
)

// ParseVersion reads 16 or 16.4.
func ParseVersion(text string) (Version, error) {
	if text == "" {
		return Version{}, nil
	}
	majorText, minorText, hasMinor := strings.Cut(text, ".")
	major, err := strconv.Atoi(majorText)
	minor := -1
	if err == nil && hasMinor {
		var read uint64
		read, err = strconv.ParseUint(minorText, 10, 16)
		minor = int(read)
	}
	if err != nil || major < oldestMajor || major > newestMajor {
		return Version{}, release.WithHint(fmt.Errorf("read PostgreSQL's version %q: the rules know %d to %d", text, oldestMajor, newestMajor), "write it as 16 or 16.4")
	}
	return Version{Major: major, Minor: minor}, nil
}

// String is the version as it is written, "unknown" for the zero value.
func (v Version) String() string {
	switch {
	case v.Major == 0:
		return "unknown"
	case v.Minor < 0:
		return strconv.Itoa(v.Major)
	default:
		return fmt.Sprintf("%d.%d", v.Major, v.Minor)
	}
}

// certainly reports whether the version is known to be at least this major one.
func (v Version) certainly(major int) bool { return v.Major >= major }
