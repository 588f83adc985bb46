package relative

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// absence says that nothing can be said.
func (g Gate) absence(known evidence) string {
	if known.Batches == 0 {
		return fmt.Sprintf("no data: %s and %s can't be compared yet", g.New, g.Old)
	}
	return fmt.Sprintf("no data: %s and %s were compared over %s, which is too few", g.New, g.Old, plural(known.Batches, "interval"))
}

// sentence explains a verdict. A Fail is told by the numbers that it came from.
func (g Gate) sentence(result Result, known evidence, weight float64) string {
	count, limit := known.Series[0], known.Bound
	if result.Verdict == Fail {
		proof := known.Below
		if _, most := g.allowed(result.Question); result.Lower > most {
			proof = known.Above
		}
		count, limit, weight = proof.Series, proof.Limit, proof.Weight
	}
	switch result.Question {
	case Errors:
		return g.errors(result, count)
	case Latency:
		return g.slow(result, count, limit)
	case Share:
		return g.share(result, count, weight)
	}
	return g.volume(result, count)
}

// errors is "green fails 1.3 points more requests than blue (at least 0.9,
// 99 % sure at any time), and 0.2 is allowed".
func (g Gate) errors(result Result, count series) string {
	return fmt.Sprintf("%s fails %s requests than %s%s (%s), and %s is allowed%s", g.New, more(count.estimate()), g.Old, since(result, count),
		g.certain(result, points, true), points(g.ErrorsAllowed), open(result))
}

// slow is "the p95 of green is more than 1.2 times that of blue: 12 % of its
// requests take over 258ms, 5 % of blue's over 215ms, 7 points more (at least
// 4.9, 99 % sure at any time)".
func (g Gate) slow(result Result, count series, limit float64) string {
	is := map[Verdict]string{Fail: "is more than", Pass: "is at most", Undecided: "may be more than"}[result.Verdict]
	return fmt.Sprintf("the p95 of %s %s %s times that of %s%s: %s of its requests take over %s, %s of %s's over %s, %s (%s)%s",
		g.New, is, number(g.LatencyAllowed), g.Old, since(result, count),
		percent(count.NewHits/count.New), milliseconds(g.LatencyAllowed*limit), percent(count.OldHits/count.Old), g.Old, milliseconds(limit), more(count.estimate()),
		g.certain(result, points, true), open(result))
}

// share is "green gets 31 % of the requests (at most 36 %, 99 % sure at any
// time), its weight is 50 %, and 40 % to 60 % are allowed".
func (g Gate) share(result Result, count series, weight float64) string {
	share := func(difference float64) string { return percent(min(weight*(1+difference), 1)) }
	high := result.Estimate >= 0
	if result.Verdict == Fail {
		// What failed may be a later count than the one that is estimated here.
		high = result.Lower > g.ShareAllowed
	}
	return fmt.Sprintf("%s gets %s of the requests%s (%s), its weight is %s, and %s to %s are allowed%s", g.New, share(count.estimate()), since(result, count),
		g.certain(result, share, high), percent(weight), share(-g.ShareAllowed), share(g.ShareAllowed), open(result))
}

// volume is "green gets 31 % of the requests that blue got before the switch
// (at most 36 %, 99 % sure at any time), and 50 % is the least that is allowed".
func (g Gate) volume(result Result, count series) string {
	part := func(difference float64) string { return percent(1 + difference) }
	return fmt.Sprintf("%s gets %s of the requests that %s got before the switch%s (%s), and %s is the least that is allowed%s", g.New, part(count.estimate()), g.Old, since(result, count),
		g.certain(result, part, false), part(-g.LossAllowed), open(result))
}

// certain is the bound that a verdict rests on, or both where neither suffices.
func (g Gate) certain(result Result, format func(float64) string, high bool) string {
	bound := "between " + format(min(result.Lower, result.Upper)) + " and " + format(max(result.Lower, result.Upper))
	switch {
	case result.Verdict == Undecided:
	case (result.Verdict == Fail) == high:
		bound = "at least " + format(result.Lower)
	default:
		bound = "at most " + format(result.Upper)
	}
	return fmt.Sprintf("%s, %s sure at any time", bound, percent(1-g.Alpha))
}

// since tells of what began later than the comparison.
func since(result Result, count series) string {
	if result.Verdict != Fail || count.Number == 1 {
		return ""
	}
	return " since " + count.Since.UTC().Format(time.TimeOnly)
}

// open ends a sentence that decides nothing.
func open(result Result) string {
	if result.Verdict == Undecided {
		return ": too early to tell"
	}
	return ""
}

// more is "1.3 points more", or fewer.
func more(difference float64) string {
	if difference < 0 {
		return points(-difference) + " points fewer"
	}
	return points(difference) + " points more"
}

// points are percentage points.
func points(difference float64) string { return number(difference * 100) }

func percent(share float64) string { return number(share*100) + " %" }

func milliseconds(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}

// number keeps two decimals at most, and no zeros that say nothing.
func number(value float64) string {
	text := strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(value, 'f', 2, 64), "0"), ".")
	if text == "-0" {
		return "0"
	}
	return text
}

func plural(number int, word string) string {
	if number == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", number, word)
}
