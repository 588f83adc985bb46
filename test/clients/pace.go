package clients

import (
	"math"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// pace is a constant rate that starts late and ends after a number of hits.
type pace struct {
	vegeta.ConstantPacer
	// offset is when the first hit is due.
	offset time.Duration
	// limit is how many hits there are.
	limit uint64
}

// Pace implements vegeta.Pacer.
func (p pace) Pace(elapsed time.Duration, hits uint64) (wait time.Duration, stop bool) {
	switch {
	case hits >= p.limit:
		return 0, true
	case elapsed < p.offset:
		return p.offset - elapsed, false
	}
	return p.ConstantPacer.Pace(elapsed-p.offset, hits)
}

// share is the pace of some of the clients, the first of which has this index
// among all of them. Their hits fall between those of the others.
func (o Options) share(first, clients int) pace {
	all := o.KeepAlive + o.Fresh
	period := time.Duration(all) * time.Second
	p := pace{
		ConstantPacer: vegeta.ConstantPacer{Freq: o.Rate * clients, Per: period},
		offset:        period * time.Duration(first) / time.Duration(all*o.Rate),
		limit:         math.MaxUint64,
	}
	if o.MaxRequests > 0 {
		// The difference of two roundings: the parts add up to the whole.
		upTo := func(n int) uint64 { return o.MaxRequests * uint64(n) / uint64(all) }
		p.limit = upTo(first+clients) - upTo(first)
	}
	return p
}
