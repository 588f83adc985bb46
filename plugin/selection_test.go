package plugin

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelection(t *testing.T) {
	tests := map[string]struct{ args, want []string }{
		"nothing is selected":               {[]string{"shift", "--to", "green"}, nil},
		"the Service and what all have":     {[]string{"shift", "svc/shop", "-n", "store", "--to=green", "--guard", "-f", "a b.yaml"}, []string{"svc/shop", "--file=a b.yaml", "--namespace=store"}},
		"each of a list":                    {[]string{"shift", "--as-group=a", "--as-group", "b,c"}, []string{"--as-group=a", "--as-group=b,c"}},
		"a value that looks like a Service": {[]string{"rollback", "--reason", "svc/shop"}, nil},
		"a command line that can't be read": {[]string{"shift", "-n", "store", "--nonsense"}, nil},
		"no such command":                   {[]string{"shfit", "-n", "store"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Selection(test.args)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if again := Selection(append([]string{"status"}, got...)); !cmp.Equal(again, got) {
				t.Errorf("status is given %q and reads %q", got, again)
			}
		})
	}
}
