package migration

import (
	"slices"
	"strconv"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// spares reports whether a CHECK refuses nothing that the old version writes,
// which leaves out the columns that this release adds. Null fits a CHECK, and a
// comparison with null is null; but that is so of comparisons alone, and of
// those that AND joins each by itself: IS NULL, OR, CASE, coalesce and their
// like make something else of null. A default is what the old version writes to
// a new column, so a comparison with it has to be seen to hold.
func (t *table) spares(check statement.Expression) bool {
	for _, demanded := range check.Conjuncts() {
		names, plain := demanded.Compared(strict)
		if !plain || !slices.ContainsFunc(names, t.leftNull) && !t.holds(demanded) {
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

// holds reports whether a condition is "column, compared to a constant", and is
// true of the constant that is the column's default.
func (t *table) holds(condition statement.Expression) bool {
	name, operator, constant := condition.Comparison()
	column := t.columns[name]
	if column == nil || !column.fresh || column.computed || column.collation.Name != "" || column.typ.Array || len(column.typ.Modifiers) > 0 {
		return false
	}
	written, isConstant := column.usual.Constant()
	switch column.typ.Name {
	case "smallint", "integer", "bigint", "numeric":
		left, isNumber := wholeNumber(written)
		right, isToo := wholeNumber(constant)
		return isConstant && isNumber && isToo && compares(left-right, operator)
	case "text", "character varying", "boolean":
		same := isConstant && written.Kind == constant.Kind && written.Value == constant.Value
		return same && (operator == "=" || operator == "<=" || operator == ">=")
	}
	return false
}

// wholeNumber is a constant as a number without a fraction, which no type rounds.
func wholeNumber(constant statement.Token) (int64, bool) {
	number, err := strconv.ParseInt(constant.Value, 10, 32)
	return number, err == nil
}

// compares reports whether an operator is true of numbers that differ by so much.
func compares(difference int64, operator string) bool {
	switch operator {
	case "=":
		return difference == 0
	case "<>", "!=":
		return difference != 0
	case "<":
		return difference < 0
	case "<=":
		return difference <= 0
	case ">":
		return difference > 0
	case ">=":
		return difference >= 0
	}
	return false
}

// strict reports whether a function of PostgreSQL gives null for null.
func strict(function string) bool {
	return slices.Contains([]string{"abs", "cardinality", "char_length", "jsonb_typeof", "length", "lower", "octet_length", "upper"}, function)
}
