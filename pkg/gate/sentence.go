package gate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// sentence says what a result is and what it rests on, such as
// "error ratio of green 5.1 % > 2 % for 2m (612 requests, pods 3 of 3 sampled)".
func sentence(result Result, target, old string, now time.Time) string {
	subject := subjectOf(result, target, old)
	switch {
	case result.Disabled:
		return subject + ": disabled by the release"
	case result.Verdict == SourceDown:
		return fmt.Sprintf("%s: %s is down%s", subject, orElse(result.Reading.Source, "its source"), detail(result.Reading, ": "))
	case result.Reading.State == measure.NoData && result.Reading.Source == "" && !result.Required:
		return subject + ": not declared" + detail(result.Reading, ": ")
	case result.Verdict == NoData:
		return subject + ": no data: " + absence(result)
	}
	text := fmt.Sprintf("%s %s%s", subject, Format(result.Signal, result.Reading.Value), comparison(result, now))
	if basis := basisOf(result.Reading); basis != "" {
		text += " (" + basis + ")"
	}
	if result.Reading.Samples < result.MinimumSamples {
		text += fmt.Sprintf("; of %s requests it would be %s at least", number(result.MinimumSamples), Format(result.Signal, leastRatio(result.Rule, result.Reading)))
	}
	return text + detail(result.Reading, "; ")
}

// About is what the result is about, such as "error ratio of green".
func (r Result) About(target, old string) string { return subjectOf(r, target, old) }

// subjectOf is "error ratio of green" or "connections of database main".
func subjectOf(result Result, target, old string) string {
	text := strings.ReplaceAll(string(result.Signal), "-", " ")
	if result.Database != "" {
		text += " in database " + result.Database
	}
	switch result.Subject {
	case Target:
		text += " of " + target
	case Old:
		text += " of " + old
	}
	return text
}

// comparison is " > 2 % for 2m", or how far it is from that.
func comparison(result Result, now time.Time) string {
	limit := string(result.Comparator) + " " + Format(result.Signal, result.Limit)
	if result.RelativeTo != "" {
		limit += " (by the baseline)"
	}
	holds := (result.Verdict == Fail) == (result.Purpose == Rollback)
	switch {
	case holds && result.For > 0:
		return " " + limit + " for " + duration(result.For)
	case holds:
		return " " + limit
	case !result.Since.IsZero():
		return fmt.Sprintf(" %s since %s of %s", limit, duration(now.Sub(result.Since)), duration(result.For))
	}
	return ", not " + limit
}

// absence says what is missing.
func absence(result Result) string {
	reading := result.Reading
	switch {
	case reading.State == measure.NoData:
		return orElse(reading.Detail, "no reading")
	case reading.Samples < result.MinimumSamples:
		return fmt.Sprintf("%s in %s, at least %s are needed (%s)", samples(reading),
			duration(result.Window), strconv.FormatFloat(result.MinimumSamples, 'f', -1, 64), reading.Source)
	}
	return "there is no baseline to compare with"
}

// basisOf is "612 requests, pods 3 of 3 sampled".
func basisOf(reading measure.Reading) string {
	var parts []string
	if reading.Samples > 0 {
		parts = append(parts, samples(reading))
	}
	if reading.Source != "" {
		parts = append(parts, reading.Source)
	}
	return strings.Join(parts, ", ")
}

// samples counts what a reading rests on, in the signal's own word.
func samples(reading measure.Reading) string {
	word := "samples"
	switch reading.Signal {
	case measure.RequestRate, measure.ErrorRatio, measure.LatencyP95, measure.ResidualRate:
		word = "requests"
	case measure.PoolSaturation, measure.Restarts, measure.ReadyRatio, measure.OpenRequests:
		word = "pods"
	case measure.DatabaseConnections, measure.DatabaseSessions, measure.BlockedSessions, measure.OldestTransaction:
		word = "sessions"
	case measure.CriticalAlerts:
		word = "alerts"
	}
	if reading.Samples == 1 {
		word = strings.TrimSuffix(word, "s")
	}
	return strconv.FormatFloat(reading.Samples, 'f', 0, 64) + " " + word
}

// Format writes a value in its signal's unit: 5.1 %, 412ms, 12.5/s, 3.
func Format(signal measure.Signal, value float64) string {
	switch signal {
	case measure.ErrorRatio, measure.PoolSaturation, measure.DatabaseConnections, measure.ReadyRatio:
		return number(value*100) + " %"
	case measure.LatencyP95:
		return time.Duration(value * float64(time.Second)).Round(time.Millisecond).String()
	case measure.OldestTransaction:
		return duration(time.Duration(value * float64(time.Second)))
	case measure.RequestRate, measure.ResidualRate:
		return number(value) + "/s"
	}
	return number(value)
}

// number keeps two decimals at most, and no zeros that say nothing.
func number(value float64) string {
	text := strconv.FormatFloat(value, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// duration is to the second, without zero units.
func duration(d time.Duration) string { return release.Duration(d.Round(time.Second)).String() }

func detail(reading measure.Reading, before string) string {
	if reading.Detail == "" {
		return ""
	}
	return before + reading.Detail
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
