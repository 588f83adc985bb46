package migration

import (
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// spares reports whether a CHECK refuses nothing that the old version writes,
// which leaves out the columns that this release adds. Null fits a CHECK, and a
// comparison with null is null; but that is so of comparisons alone, and of
// those that AND joins each by itself: IS NULL, OR, CASE, coalesce and their
// like make something else of null.
func (t *table) spares(check statement.Expression) bool {
	for _, demanded := range check.Conjuncts() {
		names, plain := demanded.Compared(strict)
		if !plain || !slices.ContainsFunc(names, t.leftNull) && slices.ContainsFunc(names, t.writtenByOld) {
			return false
		}
	}
	return true
}

// leftNull reports whether a column is null in all that the old version inserts.
func (t *table) leftNull(name string) bool {
	column := t.columns[name]
	return column != nil && column.fresh && !column.filled
}

// writtenByOld reports whether what stands in a column depends on what the old
// version writes: a new one with a default holds that.
func (t *table) writtenByOld(name string) bool {
	column := t.columns[name]
	return column == nil || !column.fresh || column.computed
}

// strict reports whether a function of PostgreSQL gives null for null.
func strict(function string) bool {
	return slices.Contains([]string{"abs", "cardinality", "char_length", "jsonb_typeof", "length", "lower", "octet_length", "upper"}, function)
}
