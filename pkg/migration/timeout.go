package migration

import (
	"strconv"
	"strings"
	"time"
)

// longestWait is how long a change may wait for a lock: what waits behind it
// for longer has emptied its pool.
const longestWait = time.Minute

// timeout is the value of a setting such as lock_timeout, 0 for none, or for one
// that can't be read.
func timeout(value string) time.Duration {
	value = strings.TrimSpace(value)
	digits := strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz ")
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(number > 0 && number < 1<<31) { // NaN is neither
		return 0
	}
	unit, known := map[string]time.Duration{"us": time.Microsecond, "": time.Millisecond, "ms": time.Millisecond, "s": time.Second,
		"min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[strings.TrimSpace(value[len(digits):])]
	if !known || number*float64(unit) < float64(time.Millisecond) { // which is rounded to none
		return 0
	}
	return time.Duration(min(number*float64(unit), float64(1<<62)))
}
