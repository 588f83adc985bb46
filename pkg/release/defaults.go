package release

import (
	"sort"
	"time"
)

// The defaults of a document, by the runbook that each figure comes from.
const (
	// DefaultHold is how long the last step is held: "Monitor Transition
	// (First 5 Minutes)" of the second runbook.
	DefaultHold = Duration(5 * time.Minute)
	// DefaultStep is the first weight of a route that has weights: "0% → 50% →
	// 100%" of the first runbook.
	DefaultStep = 50
	// DefaultStepHold is the longer end of the first runbook's "2–3 minutes"
	// between two weights.
	DefaultStepHold = Duration(3 * time.Minute)
	// DefaultWatch is "within 10 minutes post-cutover" of the second runbook.
	DefaultWatch = Duration(10 * time.Minute)
	// DefaultRollout is the longer end of "v2 rollout: 2–3 minutes" of the
	// second runbook.
	DefaultRollout = Duration(3 * time.Minute)
	// DefaultValidation is "Validation: 2 minutes" of the second runbook.
	DefaultValidation = Duration(2 * time.Minute)
	// DefaultTotal is "Total window: ≤15 minutes" of the second runbook.
	DefaultTotal = Duration(15 * time.Minute)
	// DefaultReroute is "Confirm traffic rerouted within 60 seconds" of the
	// first runbook.
	DefaultReroute = Duration(60 * time.Second)
	// DefaultRecover is "Expected Recovery Time: ≤ 1.5 minutes" of the first
	// runbook.
	DefaultRecover = Duration(90 * time.Second)
	// DefaultRollback is "rollback capability within 2 minutes" of the first
	// runbook.
	DefaultRollback = Duration(2 * time.Minute)
	// DefaultDrain is neither runbook's: a switch that has not moved what is
	// open within the time of a rollback is told.
	DefaultDrain = Duration(2 * time.Minute)
	// DefaultInterval gives twelve readings in the shortest sustained time of
	// the runbooks, the first one's 60 seconds.
	DefaultInterval = Duration(5 * time.Second)
	// DefaultSourceDown is the longest that the gate is blind before the
	// policy decides: the time in which the first runbook wants to be back.
	DefaultSourceDown = Duration(2 * time.Minute)
	// DefaultBudget is the 80 % of max_connections of the first runbook.
	DefaultBudget = 0.8
)

// The words that a document may use, and their defaults first.
const (
	RequireStarter    = "starter"
	RequireProduction = "production"
	// ProfileAtomic holds the thresholds of the second runbook,
	// ProfileWeighted those of the first.
	ProfileAtomic   = "atomic"
	ProfileWeighted = "weighted"
	// RelativeAdvance holds a release that is certainly worse than the old
	// colour, RelativeRollback sends it back.
	RelativeAdvance  = "advance"
	RelativeRollback = "rollback"
	PolicyHold       = "hold"
	PolicyRollback   = "rollback"
	// NewFirst has the side that takes over ready before the other ends, OldFirst
	// the other gone before that begins.
	NewFirst = "newFirst"
	OldFirst = "oldFirst"
	// PolicyFreeze never goes back by itself.
	PolicyFreeze = "freeze"
	ProviderHTTP = "http"
	ProviderOTel = "otel"
)

// ApplyDefaults completes a document in place; what is set stays. Applying it
// twice is applying it once. The namespace stays empty when it is: it is then
// the one of the kubeconfig's context.
func ApplyDefaults(document *Release) {
	if document.APIVersion == "" {
		document.APIVersion = APIVersion
	}
	if document.Kind == "" {
		document.Kind = Kind
	}
	spec := &document.Spec
	fill(&spec.Require, RequireStarter)
	defaultSteps(spec)
	defaultTraffic(&spec.Traffic)
	defaultGates(spec)
	for i := range spec.Databases {
		fill(&spec.Databases[i].Observe.Via, ViaAuto)
		fill(&spec.Databases[i].Budget, DefaultBudget)
	}
	fill(&spec.Metrics.Provider, ProviderHTTP)
	fill(&spec.Metrics.VersionLabel, spec.versionKey())
	if loki := spec.Logs.Loki; loki != nil {
		fill(&loki.VersionLabel, spec.Metrics.VersionLabel)
	}
}

// defaultSteps goes by half of the traffic where the route can give a part of
// it, and nobody has asked for everything at once.
func defaultSteps(spec *Spec) {
	if len(spec.Traffic.Steps) == 0 && spec.Traffic.Weighted() && spec.Gates.Profile != ProfileAtomic {
		spec.Traffic.Steps = []Step{{Weight: DefaultStep, Hold: DefaultStepHold}, {Weight: 100, Hold: DefaultHold}}
	}
}

// defaultTraffic completes the route's steps, watch and deadlines. Where a
// document's own times need more room than the runbooks' figure, the deadline
// that it left out grows with them.
func defaultTraffic(traffic *Traffic) {
	if len(traffic.Steps) == 0 {
		traffic.Steps = []Step{{Weight: 100, Hold: DefaultHold}}
	}
	fill(&traffic.Drain, DrainAuto)
	if traffic.Workers != nil {
		fill(&traffic.Workers.Order, NewFirst)
	}
	fill(&traffic.Watch, max(DefaultWatch, traffic.Steps[len(traffic.Steps)-1].Hold))
	deadlines := &traffic.Deadlines
	fill(&deadlines.Rollout, DefaultRollout)
	fill(&deadlines.Validation, DefaultValidation)
	fill(&deadlines.Total, max(DefaultTotal, deadlines.Rollout+deadlines.Validation+traffic.Waits()))
	fill(&deadlines.Drain, DefaultDrain)
	fill(&deadlines.Reroute, traffic.reroute())
	fill(&deadlines.Recover, DefaultRecover)
	fill(&deadlines.Rollback, max(DefaultRollback, deadlines.Reroute, deadlines.Recover))
}

// reroute is how long a switch may take where the document doesn't say. That of
// workers starts the pods of one side, and may wait until those of the other are
// gone.
func (t Traffic) reroute() Duration {
	if t.Workers == nil {
		return DefaultReroute
	}
	return t.Deadlines.Rollout + t.Deadlines.Drain
}

func defaultGates(spec *Spec) {
	gates := &spec.Gates
	if len(spec.Traffic.Services()) > 0 {
		// A Service's selector switches everything at once, which is the
		// second runbook's way.
		fill(&gates.Profile, ProfileAtomic)
	}
	fill(&gates.Profile, ProfileWeighted)
	fill(&gates.Interval, DefaultInterval)
	fill(&gates.Relative, RelativeAdvance)
	fill(&gates.SourceDown.Deadline, DefaultSourceDown)
	fill(&gates.SourceDown.Policy, PolicyHold)
	fill(&gates.OnFailure, PolicyRollback)
	fill(&gates.OnRival, PolicyHold)
}

// Waits is the time that a shift takes even when nothing is slow: every hold
// before the last step, and the watch, which includes the hold at 100.
func (t Traffic) Waits() Duration {
	waits := t.Watch
	for i, step := range t.Steps {
		if i < len(t.Steps)-1 {
			waits += step.Hold
		}
	}
	return waits
}

// versionKey is the first label, by name, whose values differ between the two
// colours.
func (s Spec) versionKey() string {
	names := s.ColorNames()
	if len(names) != 2 {
		return ""
	}
	one, other := s.Colors[names[0]].Selector, s.Colors[names[1]].Selector
	var keys []string
	for key, value := range one {
		if otherValue, found := other[key]; found && otherValue != value {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	if len(keys) == 0 {
		return ""
	}
	return keys[0]
}

// fill sets a value that is zero.
func fill[T comparable](value *T, with T) {
	var zero T
	if *value == zero {
		*value = with
	}
}
