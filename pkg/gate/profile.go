package gate

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The profiles: the thresholds of the two runbooks (docs/runbooks.md).
const (
	// Weighted is the first runbook: traffic moves in steps.
	Weighted = release.ProfileWeighted
	// Atomic is the second runbook: a selector is switched at once.
	Atomic = release.ProfileAtomic
)

const (
	// window is the time over which rates and quantiles are taken: four
	// scrapes of a Prometheus at its usual 15 s.
	window = time.Minute
	// latencySamples are requests under which a 95th percentile rests on
	// two requests or fewer.
	latencySamples = 50
	// advanceSamples are requests among which a failure must show. None in
	// 100 bounds the share that fails at 3 % with 95 % confidence (the rule
	// of three: 3/n); none in fewer says next to nothing.
	advanceSamples = 100
	// glitch is how long a state that comes and goes by itself (a full
	// pool, a lock, a pod that is not ready) may last.
	glitch = 30 * time.Second
)

// What the sources of the rules add on how many requests they ask for.
const (
	oursAdvance = "; 100 requests are ours: that none of 100 failed makes it 95 % certain that fewer than 3 % do (rule of three)"
	oursLatency = "; 50 requests are ours: the slowest 5 % of fewer are two requests at most"
)

// Profiles names the profiles, the first one being the default.
func Profiles() []string { return []string{Weighted, Atomic} }

// profile returns the rules of a profile by name. Rules about a database
// carry no Database yet.
func profile(name string) ([]Rule, bool) {
	switch name {
	case Weighted, "":
		return append(weightedRules(), commonRules()...), true
	case Atomic:
		return append(atomicRules(), commonRules()...), true
	}
	return nil, false
}

// weightedRules are the numbers of the first runbook.
func weightedRules() []Rule {
	const advance, rollback = "first runbook, Deployment Procedure, step 4", "first runbook, When to Rollback"
	return []Rule{
		{ID: "advance-error-ratio", Purpose: Advance, Subject: Target, Signal: measure.ErrorRatio, Comparator: Less, Threshold: 0.005,
			Window: window, MinimumSamples: advanceSamples, Source: advance + ": error rates must remain < 0.5 %" + oursAdvance},
		{ID: "advance-latency-p95", Purpose: Advance, Subject: Target, Signal: measure.LatencyP95, Comparator: Less, Threshold: 0.300,
			Window: window, MinimumSamples: latencySamples, Source: advance + ": P95 < 300 ms" + oursLatency},
		{ID: "advance-database-connections", Purpose: Advance, Subject: Shared, Signal: measure.DatabaseConnections, Comparator: LessOrEqual, Threshold: 0.80,
			Source: advance + ": must not exceed 80 % of max"},
		{ID: "rollback-error-ratio", Purpose: Rollback, Subject: Target, Signal: measure.ErrorRatio, Comparator: Greater, Threshold: 0.01, For: time.Minute,
			Window: window, MinimumSamples: 100, Source: rollback + ": error rate exceeds 1 % for 60 seconds; 100 requests are ours: among fewer a single failure would be more than 1 %"},
		{ID: "rollback-latency-p95", Purpose: Rollback, Subject: Target, Signal: measure.LatencyP95, Comparator: Greater, Threshold: 1, For: 2 * time.Minute,
			Window: window, MinimumSamples: latencySamples, Source: rollback + ": latency P95 > 1 s for 2+ minutes" + oursLatency},
		{ID: "rollback-database-connections", Purpose: Rollback, Subject: Shared, Signal: measure.DatabaseConnections, Comparator: GreaterOrEqual, Threshold: 0.90,
			Source: rollback + ": database connections >= 90 % of max_connections"},
	}
}

// atomicRules are the numbers of the second runbook.
func atomicRules() []Rule {
	const advance, rollback = "second runbook, Deployment Procedure, step 4", "second runbook, When to Roll Back"
	return []Rule{
		{ID: "advance-error-ratio", Purpose: Advance, Subject: Target, Signal: measure.ErrorRatio, Comparator: Less, Threshold: 0.005,
			Window: window, MinimumSamples: advanceSamples, Source: advance + ": error rate target < 0.5 %" + oursAdvance},
		{ID: "advance-latency-p95", Purpose: Advance, Subject: Target, Signal: measure.LatencyP95, Comparator: Less, Threshold: 0.200,
			Window: window, MinimumSamples: latencySamples, Source: advance + ": P95 latency < 200 ms" + oursLatency},
		{ID: "advance-database-connections", Purpose: Advance, Subject: Shared, Signal: measure.DatabaseConnections, Comparator: LessOrEqual, Threshold: 0.80,
			Source: "first runbook, Deployment Procedure, step 4: must not exceed 80 % of max (the second gives no number)"},
		{ID: "advance-request-parity", Purpose: Advance, Subject: Shared, Signal: measure.RequestRate, Comparator: GreaterOrEqual, Threshold: 0.5, RelativeTo: relativeToBaseline,
			Window: window, Source: advance + ": request volume matches pre-switch levels; half is our reading: below it requests are missing, above it traffic merely varies. Both colours count, for open connections stay on the old one"},
		{ID: "advance-restarts", Purpose: Advance, Subject: Target, Signal: measure.Restarts, Comparator: LessOrEqual, Threshold: 0,
			Source: advance + ": pod restarts or crashes in v2"},
		{ID: "advance-critical-alerts", Purpose: Advance, Subject: Shared, Signal: measure.CriticalAlerts, Comparator: LessOrEqual, Threshold: 0,
			Source: "second runbook, Deployment Procedure, step 5: confirm no alerts triggered"},
		{ID: "rollback-error-ratio", Purpose: Rollback, Subject: Target, Signal: measure.ErrorRatio, Comparator: Greater, Threshold: 0.02, For: 2 * time.Minute,
			Window: window, MinimumSamples: 50, Source: rollback + ": error rate > 2 % sustained over 2 minutes; 50 requests are ours: among fewer a single failure would be more than 2 %"},
		{ID: "rollback-latency-p95", Purpose: Rollback, Subject: Target, Signal: measure.LatencyP95, Comparator: Greater, Threshold: 0.8, For: 3 * time.Minute,
			Window: window, MinimumSamples: latencySamples, Source: rollback + ": latency P95 > 800 ms for > 3 minutes" + oursLatency},
		{ID: "rollback-database-connections", Purpose: Rollback, Subject: Shared, Signal: measure.DatabaseConnections, Comparator: GreaterOrEqual, Threshold: 0.90,
			Source: "first runbook, When to Rollback: database connections >= 90 % (the second gives no number)"},
	}
}

// commonRules are what both runbooks ask without a number of their own. Where
// the number is ours, Source says so.
func commonRules() []Rule {
	const compare = "second runbook, Deployment Procedure, step 4: compare v1 (historical) with v2 (live)"
	const contention = "second runbook, Common Pitfalls, DB lock contention: v2 introduced a long-lived transaction"
	return []Rule{
		{ID: "advance-ready-ratio", Purpose: Advance, Subject: Target, Signal: measure.ReadyRatio, Comparator: GreaterOrEqual, Threshold: 1,
			Source: "both runbooks, Deployment Procedure, step 1: all pods Running and passing readiness"},
		{ID: "advance-error-ratio-baseline", Purpose: Advance, Subject: Target, Signal: measure.ErrorRatio, Comparator: LessOrEqual,
			Threshold: 1, RelativeTo: relativeToBaseline, MinimumEffect: 0.002, Window: window, MinimumSamples: advanceSamples,
			Source: compare + "; the effect of 0.2 points is ours" + oursAdvance},
		{ID: "advance-latency-p95-baseline", Purpose: Advance, Subject: Target, Signal: measure.LatencyP95, Comparator: LessOrEqual,
			Threshold: 1.2, RelativeTo: relativeToBaseline, MinimumEffect: 0.020, Window: window, MinimumSamples: latencySamples,
			Source: compare + "; the factor of 1.2 and the effect of 20 ms are ours" + oursLatency},
		{ID: "rollback-pool-saturation", Purpose: Rollback, Subject: Target, Signal: measure.PoolSaturation, Comparator: GreaterOrEqual, Threshold: 1, For: glitch,
			Source: "second runbook, When to Roll Back: connection pool saturation in v2; 30 s is ours, for a pool may be full for a moment in health"},
		{ID: "rollback-blocked-sessions", Purpose: Rollback, Subject: Target, Signal: measure.BlockedSessions, Comparator: GreaterOrEqual, Threshold: 1, For: glitch,
			Source: contention + "; 30 s is ours: somebody waited all that time for a lock of the new version"},
		{ID: "rollback-oldest-transaction", Purpose: Rollback, Subject: Target, Signal: measure.OldestTransaction, Comparator: Greater, Threshold: 60,
			Source: contention + "; 60 s is ours"},
		{ID: "rollback-ready-ratio", Purpose: Rollback, Subject: Target, Signal: measure.ReadyRatio, Comparator: Less, Threshold: 1, For: glitch,
			Source: "second runbook, Common Pitfalls, 503 errors after cutover: pods running but not receiving traffic; 30 s is ours"},
		{ID: "rollback-restarts", Purpose: Rollback, Subject: Target, Signal: measure.Restarts, Comparator: GreaterOrEqual, Threshold: 3,
			Source: "second runbook, Deployment Procedure, step 4: pod restarts or crashes in v2; three is ours: a crash loop and not an accident"},
		{ID: "rollback-critical-alerts", Purpose: Rollback, Subject: Shared, Signal: measure.CriticalAlerts, Comparator: GreaterOrEqual, Threshold: 1,
			Source: "second runbook, When to Roll Back: any critical alert from the monitoring system"},
	}
}
