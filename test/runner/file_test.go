package runner

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		want  map[string]string
		fails bool
	}{
		"nothing":           {"", map[string]string{}, false},
		"a line":            {"a=b=c\n", map[string]string{"a": "b=c"}, false},
		"lines":             {"a<<end\none\n\ntwo=2\nend\nb=1\n", map[string]string{"a": "one\n\ntwo=2", "b": "1"}, false},
		"no line":           {"a<<end\nend\n", map[string]string{"a": ""}, false},
		"the last counts":   {"a=1\na=2\n", map[string]string{"a": "2"}, false},
		"<< in a value":     {"a=b<<c\n", map[string]string{"a": "b<<c"}, false},
		"= in a delimiter":  {"a<<e=d\none\ne=d\n", map[string]string{"a": "one"}, false},
		"a delimiter lacks": {"a<<end\none\n", nil, true},
		"no command":        {"a\n", nil, true},
	} {
		got, err := parse(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || (err != nil) != test.fails {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}
