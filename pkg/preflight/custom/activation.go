package custom

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// activation gives an expression its variables.
type activation struct{ variables *object }

// ResolveName finds one. What is not known is an error, like a field that is not.
func (a *activation) ResolveName(name string) (any, bool) {
	if _, declared := a.variables.of.fields[name]; !declared {
		return nil, false
	}
	return a.variables.Get(types.String(name)), true
}

// Parent is none.
func (a *activation) Parent() cel.Activation { return nil }
