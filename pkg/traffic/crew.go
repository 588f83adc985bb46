package traffic

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// crew is the workers of one colour.
type crew struct {
	color string
	ref   release.Workload
	// workload is nil while it is not deployed.
	workload *cluster.Workload
	// pods are those that have not ended; they are counted only where one side
	// must be gone before the other begins.
	pods int
}

func (c crew) deployed() bool { return c.workload != nil }

// replicas are how many are wanted now.
func (c crew) replicas() int32 {
	if c.workload == nil {
		return 0
	}
	return c.workload.Replicas
}

// note is an annotation of its Deployment.
func (c crew) note(key string) string {
	if c.workload == nil {
		return ""
	}
	return c.workload.Object.GetAnnotations()[key]
}

// full is how many it has when it takes everything: what was recorded when it
// last did, and never less than it has now.
func (c crew) full() int32 {
	if c.workload == nil {
		return 1
	}
	return max(c.workload.RecordedReplicas(), c.workload.Replicas)
}

// asGiven reports whether it has the replicas that it was given last: nobody has
// scaled it since.
func (c crew) asGiven() bool {
	return c.note(cluster.AnnotationGiven) == strconv.Itoa(int(c.replicas()))
}

// ready reports whether as many as are wanted are ready, and why not.
func (c crew) ready() (is bool, why string) {
	if c.workload.Replicas == 0 || c.workload.Readiness.Successful {
		return true, ""
	}
	return false, c.workload.Readiness.Message
}

// settled is the side once its controller has done what is wanted of it.
func (c crew) settled() crew {
	if c.workload == nil {
		return c
	}
	workload := *c.workload
	workload.Readiness = cluster.Readiness{Done: true, Successful: true}
	c.workload, c.pods = &workload, int(workload.Replicas)
	return c
}

// workers are both sides, by the names of their colours.
type workers []crew

// of is the side that a patch is for.
func (w workers) of(patch Patch) (int, error) {
	at := slices.IndexFunc(w, func(one crew) bool { return one.deployed() && one.ref.String() == patch.Object })
	if at < 0 {
		return 0, fmt.Errorf("write %s in %s: the release has no such Deployment", patch.Object, patch.Namespace)
	}
	return at, nil
}

// split is who takes jobs: whoever has replicas. Where both have, it is what was
// recorded when they were written, as long as nobody has scaled them since, and
// else their part of all replicas. While one side is gone and the other has not
// begun it is empty.
func (w workers) split(oldFirst bool) (Split, error) {
	one, other := w[0], w[1]
	switch {
	case one.replicas() > 0 && other.replicas() == 0:
		return Whole(one.color), nil
	case one.replicas() == 0 && other.replicas() > 0:
		return Whole(other.color), nil
	case one.replicas() == 0 && oldFirst && w.recorded() != nil:
		return nil, nil
	case one.replicas() == 0:
		return nil, noColor("", "neither has a replica, so nobody takes jobs")
	}
	recorded := w.recorded()
	if recorded != nil && recorded.Sole() == "" && one.asGiven() && other.asGiven() {
		return recorded, nil
	}
	return w.counted(recorded), nil
}

// counted is the split by replicas alone. It is never what was recorded, from which
// they differ: a move that is not whole must not read as one that is.
func (w workers) counted(recorded Split) Split {
	one, other := w[0], w[1]
	part := float64(one.replicas()) / (float64(one.replicas()) + float64(other.replicas()))
	percent := min(max(int(math.Round(100*part)), 1), 99)
	if percent == recorded[one.color] {
		if percent++; percent > 99 {
			percent -= 2
		}
	}
	return Between(one.color, other.color, percent)
}

// recorded is the split that their replicas were last written for, nil where the
// two don't say the same.
func (w workers) recorded() Split {
	var found Split
	for _, one := range w {
		if !one.deployed() {
			continue
		}
		split, err := ParseSplit(one.note(cluster.AnnotationSplit))
		if err != nil || found != nil && !found.Equal(split) {
			return nil
		}
		found = split
	}
	return found
}

// moving reports whether they stand between the first and the last write of a
// move to a split.
func (w workers) moving(to Split) bool {
	recorded := w.recorded()
	return recorded != nil && recorded.Equal(to) && (w[0].replicas() > 0) == (w[1].replicas() > 0)
}

// wanted are the replicas that give each side its share. The side that takes over
// gets what the other has at least, for it must bear the same load; the way back
// restores what there was. A side with any share has one pod at least.
func (w workers) wanted(to Split, back bool) map[string]int32 {
	if color := to.Sole(); color != "" {
		wanted := map[string]int32{}
		for _, one := range w {
			if wanted[one.color] = 0; one.color != color {
				continue
			}
			if wanted[color] = one.full(); !back {
				wanted[color] = w.most()
			}
		}
		return wanted
	}
	one, other, all := w[0].color, w[1].color, w.most()
	part := int32(math.Round(float64(all) * float64(to[one]) / 100))
	part = min(max(part, 1), max(all-1, 1))
	return map[string]int32{one: part, other: max(all-part, 1)}
}

// most is what the larger side has when it takes everything.
func (w workers) most() int32 { return max(w[0].full(), w[1].full()) }
