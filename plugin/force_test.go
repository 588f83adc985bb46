package plugin

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// --force alone waits for nobody; what else it overrules has to be named.
func TestForceNamesWhatItOverrules(t *testing.T) {
	for _, test := range []struct {
		args  []string
		want  force
		fails string
	}{
		{nil, force{}, ""},
		{[]string{"--force"}, force{on: true}, ""},
		{[]string{"--force=false"}, force{}, ""},
		{[]string{"--force=ready-endpoints"}, force{on: true, unready: true}, ""},
		{[]string{"--force=everything"}, force{}, "expected --force, or --force=ready-endpoints"},
	} {
		got, command := force{}, &cobra.Command{}
		got.addFlag(command)
		err := command.ParseFlags(test.args)
		if got != test.want || (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%q: %+v, %v; want %+v, %q", test.args, got, err, test.want, test.fails)
		}
	}
}
