package main

import (
	"fmt"
	"strings"
	"testing"
)

// One new connection that was refused fails no kill, and too many of them fail
// the soak, whatever was tried again; those of kills and of faults are counted
// apart. Both are in the document.
func TestTooManyRefusalsFailTheSoak(t *testing.T) {
	for _, tt := range []struct {
		kills, faults int
		fails         string
	}{
		{2, 2, ""}, {3, 2, "in 3 of 41 cases"}, {2, 3, "in 3 of 41 cases"},
	} {
		kept, chain := opened(t, t.TempDir()), service.Chains()[0]
		for number := range 40 {
			add(t, kept, outcome{Part: fmt.Sprintf("kill %d", number+1), Driver: "service", Case: &chain, Passed: true, Refused: number < tt.kills-1})
			add(t, kept, outcome{Part: fmt.Sprintf("fault %d", number+1), Fault: "PostgreSQL cut", Passed: true, Refused: number < tt.faults-1})
		}
		add(t, kept, outcome{Part: "kill 40", Driver: "service", Case: &chain, Passed: true, Refused: true},
			outcome{Part: "fault 40", Fault: "PostgreSQL cut", Passed: true, Refused: true})
		err := kept.verdict()
		if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%d refused in kills and %d in faults: %v, want %q", tt.kills, tt.faults, err, tt.fails)
		}
		text := document(kept)
		for _, told := range []string{
			fmt.Sprintf("One new connection was refused in %d of 41 attempts, and may be in 2:\n\n- kill 1\n", tt.kills),
			fmt.Sprintf("One new connection was refused in %d of 41 attempts, and may be in 2:\n\n- fault 1\n", tt.faults),
		} {
			if !strings.Contains(text, told) {
				t.Errorf("nothing says %q in:\n%s", told, text)
			}
		}
	}
	if told := refusalsTold([]outcome{{Part: "kill 1"}}); told != "" {
		t.Errorf("without one, %q is told", told)
	}
}
