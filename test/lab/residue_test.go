package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A process is found by what it was started with, line breaks included, and no
// more once it has ended.
func TestCommandLines(t *testing.T) {
	const mark = "/var/lib/bluegreen-lab/nobody/"
	program := exec.CommandContext(t.Context(), "sh", "-c", "read line # first\n# "+mark)
	input, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	found := matching("process", lines(t), []string{mark})
	if want := fmt.Sprintf("process %d sh -c ", program.Process.Pid); len(found) != 1 || !strings.HasPrefix(found[0], want) {
		t.Errorf("found %q, want one that begins with %q", found, want)
	}
	if own := matching("process", lines(t), []string{os.Args[0]}); len(own) == 0 {
		t.Error("the test itself is not found")
	}
	_ = input.Close()
	_ = program.Wait()
	if found := matching("process", lines(t), []string{mark}); len(found) > 0 {
		t.Errorf("what has ended is still found: %q", found)
	}
}

func lines(t *testing.T) string {
	t.Helper()
	text, err := commandLines("/proc")
	if err != nil {
		t.Fatal(err)
	}
	return text
}
