package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// second is what the clients saw in one second.
type second struct {
	requests, failed int
	// versions counts answers by who gave them.
	versions map[string]int
}

// secondLine is the clients' line of a second.
var secondLine = regexp.MustCompile(`^\d\d:\d\d:\d\d requests=(\d+) failed=(\d+) versions=map\[([^\]]*)\] connections=\d+$`)

// parseSecond reads a line of the clients' log; ok is false for other lines.
func parseSecond(line string) (seen second, ok bool, err error) {
	match := secondLine.FindStringSubmatch(line)
	if match == nil {
		return second{}, false, nil
	}
	seen.versions = map[string]int{}
	if seen.requests, err = strconv.Atoi(match[1]); err != nil {
		return second{}, false, fmt.Errorf("read clients' log: %w", err)
	}
	if seen.failed, err = strconv.Atoi(match[2]); err != nil {
		return second{}, false, fmt.Errorf("read clients' log: %w", err)
	}
	for _, field := range strings.Fields(match[3]) {
		cut := strings.LastIndex(field, ":")
		count, err := strconv.Atoi(field[cut+1:])
		if cut < 0 || err != nil {
			return second{}, false, fmt.Errorf("read clients' log: %q is not VERSION:COUNT", field)
		}
		seen.versions[field[:cut]] = count
	}
	return seen, true, nil
}

// timeline is what the clients saw, second by second.
type timeline []second

// requests is how many were sent.
func (t timeline) requests() (sum int) {
	for _, seen := range t {
		sum += seen.requests
	}
	return sum
}

// failed is how many of them failed.
func (t timeline) failed() (sum int) {
	for _, seen := range t {
		sum += seen.failed
	}
	return sum
}

// versions counts all answers by who gave them.
func (t timeline) versions() map[string]int {
	sum := map[string]int{}
	for _, seen := range t {
		for version, count := range seen.versions {
			sum[version] += count
		}
	}
	return sum
}

// onlyLast reports whether the last seconds have answers of one version only
// and no failure.
func (t timeline) onlyLast(seconds int, version string) bool {
	if len(t) < seconds {
		return false
	}
	last := t[len(t)-seconds:]
	answers := last.versions()
	return last.failed() == 0 && len(answers) == 1 && answers[version] > 0
}

// spell is the seconds from the first in which a version answered to the last,
// both included; 0 without one.
func (t timeline) spell(version string) int {
	first, last := -1, -1
	for position, seen := range t {
		if seen.versions[version] == 0 {
			continue
		}
		if first < 0 {
			first = position
		}
		last = position
	}
	if first < 0 {
		return 0
	}
	return last - first + 1
}
