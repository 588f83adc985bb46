package custom

import (
	"time"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
)

const (
	// costLimit bounds what an expression may cost in CEL's units: by estimate
	// when it is compiled, and really when it is evaluated. It is what an API
	// server allows one expression of an admission policy.
	costLimit = 1_000_000
	// evaluationDeadline bounds what the units don't measure.
	evaluationDeadline = 5 * time.Second
	// interruptEvery is after how many steps of a loop the deadline is looked at.
	interruptEvery = 100
	// usualItems and usualText are what the estimate takes for the size of a list
	// and, in bytes, of a text.
	usualItems, usualText = 20, 128
)

// estimator says how large the variables are at the most, as far as can be said
// before there are any. Larger ones are left to the limit of the evaluation.
type estimator struct{}

// EstimateSize of a variable or of a part of it.
func (estimator) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	size := checker.SizeEstimate{Min: 0, Max: 1}
	if element.Type() == nil {
		return &size
	}
	switch element.Type().Kind() {
	case types.ListKind, types.MapKind, types.DynKind:
		size.Max = usualItems
	case types.StringKind, types.BytesKind:
		size.Max = usualText
	}
	return &size
}

// EstimateCallCost leaves calls to what CEL knows of them.
func (estimator) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
