package plugin

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestPrintError(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"plain":           {errors.New("no"), "error: no\n"},
		"hint in a wrap":  {fmt.Errorf("shift: %w", release.WithHint(errors.New("no"), "do this\nor that")), "error: shift: no\nhint: do this\nhint: or that\n"},
		"said already":    {&StatusError{Status: ExitBlocked}, ""},
		"status and text": {&StatusError{Status: ExitFailed, Err: errors.New("no")}, "error: no\n"},
		"every problem of a document": {
			release.Problems{
				{File: "b.yaml", Line: 3, Column: 1, Message: "unknown field", Remedy: "did you mean spec?"},
				{File: "b.yaml", Line: 9, Column: 5, Message: "wrong"},
			},
			"error: b.yaml:3:1: unknown field\nhint: did you mean spec?\nerror: b.yaml:9:5: wrong\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			call, _, errOut, _ := bench(t, nil)
			call.printError(test.err)
			if diff := cmp.Diff(test.want, errOut.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
