package action

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
		err  error
	}{
		"nothing":             {" \n ", nil, nil},
		"words":               {"--to green  -n shop", []string{"--to", "green", "-n", "shop"}, nil},
		"one on each line":    {"--to\ngreen\r\n--guard\n", []string{"--to", "green", "--guard"}, nil},
		"quotes":              {`--reason "orders are 'doubled'" --x='a "b" c'`, []string{"--reason", "orders are 'doubled'", `--x=a "b" c`}, nil},
		"an empty word":       {`--to "" x`, []string{"--to", "", "x"}, nil},
		"backslashes":         {`a\ b c\\d "e\"f\\g\h" 'i\j'`, []string{"a b", `c\d`, `e"f\g\h`, `i\j`}, nil},
		"nothing is expanded": {`$HOME $(id) * ~ ; a|b # c`, []string{"$HOME", "$(id)", "*", "~", ";", "a|b", "#", "c"}, nil},
		"unclosed":            {`--to "green`, nil, errUnclosed},
		"nothing to escape":   {`green\`, nil, errEscape},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := split(test.text)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, expected %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
