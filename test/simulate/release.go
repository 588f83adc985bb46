package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// Release is one release that was made up.
type Release struct {
	Kind   Kind
	Fault  Fault
	Weight float64
	// Before are the intervals of Watch before the switch, when the old
	// colour had everything; After those of Watch after it.
	Before, After []Interval
}

// Interval is what both colours were asked in one Step.
type Interval struct {
	// Start is the time since the switch, negative before it.
	Start    time.Duration
	Old, New Counts
}

// New makes a release up: traffic of a kind, of which the new colour gets a
// weight, 0 to 1, from the switch on, and has a fault.
func New(kind Kind, fault Fault, weight float64, seed uint64) Release {
	source := rand.NewPCG(seed, 0x6b6c7565)
	random := rand.New(source)
	service := newService(kind, source, random)
	made := Release{Kind: kind, Fault: fault, Weight: weight}
	for start := -Watch; start < 0; start += Step {
		made.Before = append(made.Before, service.interval(start, 0, Healthy()))
	}
	for start := time.Duration(0); start < Watch; start += Step {
		made.After = append(made.After, service.interval(start, weight, fault))
	}
	return made
}

// service is what both colours share, and the two.
type service struct {
	Kind
	source     rand.Source
	phase      float64
	rate, odds *path
	shared     *spells
	old, new   *side
}

// side is what a colour has of its own.
type side struct {
	errors, slower      *path
	own                 *spells
	errorsBias, slowing float64
}

func newService(kind Kind, source rand.Source, random *rand.Rand) *service {
	return &service{
		Kind: kind, source: source, phase: random.Float64(),
		rate: stray(kind.RateNoise, random), odds: stray(kind.ShareNoise, random),
		shared: begin(kind.Shared, random), old: newSide(kind, random), new: newSide(kind, random),
	}
}

// newSide shares out what two colours differ by: half of the variance each.
func newSide(kind Kind, random *rand.Rand) *side {
	half := kind.Unlike / math.Sqrt2
	return &side{
		errors: stray(kind.ErrorNoise, random), slower: stray(kind.LatencyNoise, random), own: begin(kind.Own, random),
		errorsBias: math.Exp(half * random.NormFloat64()), slowing: math.Exp(half * random.NormFloat64()),
	}
}

// interval is what happens in one.
func (s *service) interval(start time.Duration, weight float64, fault Fault) Interval {
	swing := 0.0
	if s.Period > 0 {
		swing = math.Sin(2 * math.Pi * (s.phase + start.Seconds()/s.Period.Seconds()))
	}
	requests := poisson(s.source, s.Rate*(1+s.Swing*swing)*s.rate.factor()*Step.Seconds())
	began := start >= fault.After
	toNew := binomial(s.source, requests, stretched(weight, s.odds.next()))
	toOld := requests - toNew
	if fault.NoTraffic && began {
		toNew = 0
		if weight < 1 {
			toOld = requests
		}
	}
	strain := 1 + s.Strain*max(swing, 0)
	shared := s.shared.next()
	errors, slower := s.old.next(s.Kind, shared)
	made := Interval{Start: start, Old: draw(s.source, toOld, errors, s.Latency, slower*strain)}
	errors, slower = s.new.next(s.Kind, shared)
	cold := math.Exp(-max(start, 0).Seconds() / coldFor.Seconds())
	errors += coldErrors * cold
	slower *= 1 + (coldSlower-1)*cold
	if began {
		errors += fault.Errors
		slower *= max(fault.Slower, 1)
	}
	made.New = draw(s.source, toNew, errors, s.Latency, slower*strain)
	return made
}

// next is the share of requests that fails, and the factor on latency.
func (s *side) next(kind Kind, shared float64) (errors, slower float64) {
	own := s.own.next()
	errors = kind.Errors*s.errorsBias*s.errors.factor() + own*kind.Own.Errors + shared*kind.Shared.Errors
	slower = s.slowing * s.slower.factor() * during(own, kind.Own) * during(shared, kind.Shared)
	return errors, slower
}

// during is the factor on latency in an interval that is partly in a burst.
func during(share float64, bursts Bursts) float64 {
	return 1 + share*max(bursts.Slower-1, 0)
}

// stretched multiplies the odds of a share by e to a power.
func stretched(share, power float64) float64 {
	if share <= 0 || share >= 1 {
		return share
	}
	odds := share / (1 - share) * math.Exp(power)
	return odds / (1 + odds)
}
