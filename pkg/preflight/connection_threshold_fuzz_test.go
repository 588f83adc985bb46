package preflight

import (
	"math"
	"testing"
)

// Whatever expression a rule has, what is read from it is a number, or nothing.
func FuzzConnectionThreshold(f *testing.F) {
	f.Add("sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8")
	f.Add("pg_stat_activity_count > 0.8 * pg_settings_max_connections")
	f.Add("100 * sum(pg_stat_activity_count) / (pg_settings_max_connections > 0) >= bool (80)")
	f.Fuzz(func(t *testing.T, expression string) {
		threshold, found := readThreshold(expression)
		ratio := threshold.ratio
		if found && (math.IsNaN(ratio) || math.IsInf(ratio, 0) || ratio < 0) {
			t.Errorf("%q fires at %v", expression, ratio)
		}
	})
}
