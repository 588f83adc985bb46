package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// path is one realisation of a Wander.
type path struct {
	Wander
	random *rand.Rand
	value  float64
}

// stray begins a path at a point of its stationary distribution.
func stray(wander Wander, random *rand.Rand) *path {
	return &path{Wander: wander, random: random, value: wander.Deviation * random.NormFloat64()}
}

// next is the logarithm in the next interval.
func (p *path) next() float64 {
	p.value = p.Memory*p.value + math.Sqrt(1-p.Memory*p.Memory)*p.Deviation*p.random.NormFloat64()
	return p.value
}

// factor is a path's next value as a factor whose mean is 1.
func (p *path) factor() float64 { return math.Exp(p.next() - p.Deviation*p.Deviation/2) }

// spells is one realisation of Bursts: it is in one of them or between two.
type spells struct {
	Bursts
	random *rand.Rand
	within bool
	left   time.Duration
}

// begin starts as likely within a burst as one is at any time.
func begin(bursts Bursts, random *rand.Rand) *spells {
	s := &spells{Bursts: bursts, random: random}
	if bursts.Every > 0 {
		s.within = random.Float64() < bursts.Lasts.Seconds()/(bursts.Lasts+bursts.Every).Seconds()
		s.left = s.lasting()
	}
	return s
}

// lasting draws how long the present state lasts.
func (s *spells) lasting() time.Duration {
	mean := s.Every
	if s.within {
		mean = s.Lasts
	}
	return time.Duration(s.random.ExpFloat64() * float64(mean))
}

// next is the share of the next interval that is within a burst.
func (s *spells) next() float64 {
	if s.Every == 0 {
		return 0
	}
	var within time.Duration
	for rest := Step; rest > 0; {
		spent := min(rest, s.left)
		if s.within {
			within += spent
		}
		rest, s.left = rest-spent, s.left-spent
		if s.left <= 0 {
			s.within = !s.within
			s.left = s.lasting()
		}
	}
	return within.Seconds() / Step.Seconds()
}
