package simulate

import (
	"fmt"
	"strings"
	"time"
)

// Wander is how a quantity strays: its logarithm is a stationary
// autoregressive process of the first order.
type Wander struct {
	// Deviation is the standard deviation of the logarithm.
	Deviation float64
	// Memory is the correlation between one interval and the next, 0 to 1.
	Memory float64
}

// Bursts are bad spells that come at random: both the time between two and the
// time that one lasts are exponential.
type Bursts struct {
	// Every and Lasts are means; no Every, no bursts.
	Every, Lasts time.Duration
	// Errors is the share of requests that fails on top, 0 to 1.
	Errors float64
	// Slower is the factor on latency.
	Slower float64
}

// Latency is the distribution of the time that a request takes: log-normal,
// with a share of Pareto-distributed ones.
type Latency struct {
	// Median in seconds, and the standard deviation of the logarithm.
	Median, Spread float64
	// TailShare of the requests take at least TailFrom seconds, and longer
	// than x with probability (TailFrom/x)^TailIndex.
	TailShare, TailFrom, TailIndex float64
}

// Kind is one kind of traffic.
type Kind struct {
	Name string
	// Rate is requests per second of both colours together, on average.
	Rate float64
	// Swing is the amplitude of a sine that the rate follows, as a share of
	// Rate, with Period, from a random point of it.
	Swing  float64
	Period time.Duration
	// Strain is how much slower both colours are at the peak of the swing.
	Strain float64
	// RateNoise is on the rate of both, ShareNoise on the odds of a request
	// to reach the new colour: clients keep their connections.
	RateNoise, ShareNoise Wander
	// Errors is the share of requests that fails in health, 0 to 1, and
	// ErrorNoise is on that of each colour.
	Errors     float64
	ErrorNoise Wander
	// Own bursts befall each colour by itself, Shared ones both at once.
	Own, Shared Bursts
	Latency     Latency
	// LatencyNoise is on the latency of each colour.
	LatencyNoise Wander
	// Unlike is the standard deviation of the logarithm of a factor between
	// the latencies, and another one between the error ratios, of two
	// healthy colours: they run on different nodes.
	Unlike float64
}

const (
	// Step is the length of an interval: the product's default of
	// gates.interval.
	Step = 5 * time.Second
	// Watch is how long a release is watched after the switch, and before:
	// the product's default of traffic.watch.
	Watch = 10 * time.Minute

	// A new colour starts cold: it is coldSlower times as slow as it will
	// be, and coldErrors more of its requests fail, both fading with e
	// after coldFor.
	coldSlower = 3.0
	coldErrors = 0.01
	coldFor    = 8 * time.Second
)

// Kinds are all kinds of traffic.
func Kinds() []Kind {
	web := Latency{Median: 0.080, Spread: 0.6} // p95 at 215 ms
	return []Kind{
		{
			Name: "steady", Rate: 200,
			RateNoise: Wander{0.05, 0.5}, ShareNoise: Wander{0.05, 0.5},
			Errors: 0.001, ErrorNoise: Wander{0.2, 0.5},
			Latency: web, LatencyNoise: Wander{0.03, 0.5}, Unlike: 0.02,
		},
		{
			Name: "bursty", Rate: 200,
			RateNoise: Wander{0.3, 0.8}, ShareNoise: Wander{0.15, 0.8},
			Errors: 0.003, ErrorNoise: Wander{0.5, 0.8},
			Own:     Bursts{Every: 3 * time.Minute, Lasts: 10 * time.Second, Errors: 0.03, Slower: 1.5},
			Shared:  Bursts{Every: 5 * time.Minute, Lasts: 30 * time.Second, Errors: 0.05, Slower: 2},
			Latency: web, LatencyNoise: Wander{0.08, 0.8}, Unlike: 0.03,
		},
		{
			Name: "daily", Rate: 200, Swing: 0.8, Period: 2 * time.Hour, Strain: 0.5,
			RateNoise: Wander{0.1, 0.7}, ShareNoise: Wander{0.1, 0.7},
			Errors: 0.002, ErrorNoise: Wander{0.3, 0.7},
			Latency: web, LatencyNoise: Wander{0.05, 0.7}, Unlike: 0.03,
		},
		{
			Name: "heavy-tailed", Rate: 200,
			RateNoise: Wander{0.1, 0.7}, ShareNoise: Wander{0.1, 0.7},
			Errors: 0.002, ErrorNoise: Wander{0.3, 0.7},
			Latency:      Latency{Median: 0.080, Spread: 0.5, TailShare: 0.10, TailFrom: 0.150, TailIndex: 1.3},
			LatencyNoise: Wander{0.10, 0.7}, Unlike: 0.03,
		},
		{
			Name: "quiet", Rate: 4,
			RateNoise: Wander{0.2, 0.7}, ShareNoise: Wander{0.2, 0.7},
			Errors: 0.005, ErrorNoise: Wander{0.3, 0.7},
			Latency: web, LatencyNoise: Wander{0.05, 0.7}, Unlike: 0.03,
		},
		{
			Name: "trickle", Rate: 0.5,
			RateNoise: Wander{0.2, 0.7}, ShareNoise: Wander{0.2, 0.7},
			Errors: 0.005, ErrorNoise: Wander{0.3, 0.7},
			Latency: web, LatencyNoise: Wander{0.05, 0.7}, Unlike: 0.03,
		},
	}
}

// Table is the kinds as a Markdown table.
func Table() string {
	var table strings.Builder
	table.WriteString("| Kind | Requests/s | Swing | Rate strays | Share strays | Errors | stray | Own bursts | Shared bursts | Latency | strays | Unlike |\n|" + strings.Repeat("---|", 12) + "\n")
	for _, kind := range Kinds() {
		fmt.Fprintf(&table, "| %s | %g | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", kind.Name, kind.Rate, kind.swing(),
			kind.RateNoise, kind.ShareNoise, percent(kind.Errors), kind.ErrorNoise, kind.Own, kind.Shared, kind.Latency, kind.LatencyNoise, percent(kind.Unlike))
	}
	return table.String()
}

func (k Kind) swing() string {
	if k.Swing == 0 {
		return "–"
	}
	return fmt.Sprintf("± %s in %s, %s slower at the peak", percent(k.Swing), k.Period, percent(k.Strain))
}

// String is the deviation with the memory, such as "30 % (0.8)".
func (w Wander) String() string { return fmt.Sprintf("%s (%g)", percent(w.Deviation), w.Memory) }

// String says how often, how long and how bad.
func (b Bursts) String() string {
	if b.Every == 0 {
		return "–"
	}
	return fmt.Sprintf("every %s for %s: errors + %s, latency × %g", b.Every, b.Lasts, percent(b.Errors), b.Slower)
}

// String names the distribution and its parameters.
func (l Latency) String() string {
	text := fmt.Sprintf("log-normal (%g ms, %g)", l.Median*1000, l.Spread)
	if l.TailShare > 0 {
		text += fmt.Sprintf(", %s Pareto (%g ms, %g)", percent(l.TailShare), l.TailFrom*1000, l.TailIndex)
	}
	return text
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", share*100) }
