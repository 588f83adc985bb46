package main

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// refusals are those of all attempts, those that were made again too.
func refusals(outcomes []outcome) crash.Refusals {
	counted := crash.Refusals{}
	for _, found := range outcomes {
		counted.Add(found.Part, found.Refused)
	}
	return counted
}

// refusalsTold says in which attempts a new connection was refused, and in how
// many one may be; nothing where there was none.
func refusalsTold(outcomes []outcome) string {
	counted := refusals(outcomes)
	if len(counted.Refused) == 0 {
		return ""
	}
	return fmt.Sprintf("\nOne new connection was refused in %d of %d attempts, and may be in %d:\n\n- %s\n",
		len(counted.Refused), counted.Cases, counted.Permitted(), strings.Join(counted.Refused, "\n- "))
}
