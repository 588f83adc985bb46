package measure

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// matcher is the label matchers that single out one colour's series, such as
// namespace="shop",pod=~"shop-green-[a-z0-9]+-[a-z0-9]+".
type matcher string

// and adds one more matcher.
func (m matcher) and(more string) matcher {
	if m == "" || more == "" {
		return m + matcher(more)
	}
	return m + "," + matcher(more)
}

// formulas are the queries of one colour, in one dialect, over one window.
//
// The shapes are those that Flagger and Argo Rollouts users settled on, with
// two differences. A colour without requests gives an empty answer and not a
// zero, so that silence is never taken for health; and a colour with requests
// and without errors gives zero and not an empty answer, where its requests
// are told by their status: without that there is no saying that none failed.
type formulas struct {
	names  dialect
	colour matcher
	window time.Duration
	// ago is how long ago the window ended.
	ago time.Duration
}

// of returns the query for a signal, "" when Prometheus can't be asked for it.
func (f formulas) of(signal Signal) string {
	switch signal {
	case RequestRate:
		return f.rate(f.names.counter, "")
	case ErrorRatio:
		return fmt.Sprintf("(%s) / (%s > 0)", f.failed(f.rate), f.rate(f.names.counter, ""))
	case LatencyP95:
		return fmt.Sprintf("histogram_quantile(0.95, sum by (le) (rate(%s_bucket{%s}%s)))", f.names.histogram, f.colour, f.over())
	case PoolSaturation:
		return f.pools()
	}
	return ""
}

// samples is how many requests a signal rests on.
func (f formulas) samples(signal Signal) string {
	metric := f.names.counter
	if signal == LatencyP95 {
		metric = f.names.histogram + "_count"
	}
	return f.increase(metric, "")
}

// failed is what failed, as a rate or an increase: nothing where all that is
// told is another status, and no answer where none is told.
func (f formulas) failed(grown func(metric, more string) string) string {
	var failed, told []string
	for _, label := range f.names.statusLabels {
		failed = append(failed, grown(f.names.counter, label+`=~"5.."`))
		told = append(told, "0 * "+grown(f.names.counter, label+`!=""`))
	}
	return strings.Join(append(failed, told...), " or ")
}

// failures is how many requests failed.
func (f formulas) failures() string { return f.failed(f.increase) }

// latencies is how many requests took at most so long, by le.
func (f formulas) latencies() string {
	return fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}%s))", f.names.histogram, f.colour, f.over())
}

// scrapes is how often the target that was scraped the least was, and 0 where a
// scrape failed.
func (f formulas) scrapes() string {
	return fmt.Sprintf("min(count_over_time(up{%[1]s}%[2]s) * min_over_time(up{%[1]s}%[2]s))", f.colour, f.over())
}

// present counts the colour's series, to see whether a matcher finds any.
func (f formulas) present() string { return fmt.Sprintf("count(%s{%s})", f.names.counter, f.colour) }

func (f formulas) rate(metric, more string) string {
	return fmt.Sprintf("sum(rate(%s{%s}%s))", metric, f.colour.and(more), f.over())
}

func (f formulas) increase(metric, more string) string {
	return fmt.Sprintf("sum(increase(%s{%s}%s))", metric, f.colour.and(more), f.over())
}

// over is the window of a range, such as [60s] or [30s] offset 600s.
func (f formulas) over() string {
	text := "[" + promDuration(f.window) + "]"
	if f.ago > 0 {
		text += " offset " + promDuration(f.ago)
	}
	return text
}

// pools is the fullest pool, whichever library tells of it.
func (f formulas) pools() string {
	var ratios []string
	for _, pool := range poolMetrics() {
		used, ignoring := f.colour, ""
		if pool.usedState != "" {
			used, ignoring = used.and(fmt.Sprintf("state=%q", pool.usedState)), "ignoring(state) "
		}
		ratios = append(ratios, fmt.Sprintf("%s{%s} / %s(%s{%s} > 0)", pool.used, used, ignoring, pool.max, f.colour))
	}
	return "max(" + strings.Join(ratios, " or ") + ")"
}

// promDuration writes a window in PromQL, which knows no fractions.
func promDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}
