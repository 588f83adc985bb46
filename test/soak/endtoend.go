package main

import (
	"context"
	"strings"
)

// endToEnd runs the tests end to end that `make test` leaves to the soak, in the
// soak's own lab, each for itself so that none is done again that has passed.
func endToEnd(ctx context.Context, chosen options, kept *keeper) error {
	var all []tool
	for name := range strings.FieldsFuncSeq(chosen.endToEnd, func(letter rune) bool { return letter == ',' }) {
		all = append(all, tool{
			name: "end to end: " + name, folder: ".", args: []string{"test", "-count=1", "-timeout", "20m", "-run", "^" + name + "$", "./e2e"},
			variables: []string{"BLUEGREEN_LAB=" + chosen.lab, "BLUEGREEN_PLUGIN=" + chosen.plugin},
		})
	}
	return runAll(ctx, all, kept)
}
