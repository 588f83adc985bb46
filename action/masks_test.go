package action

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMasks(t *testing.T) {
	tests := map[string]struct{ variables, words, want []string }{
		"nothing":                      {[]string{"HOME=/home/runner", "CI=true", "no value"}, []string{"--to", "green"}, nil},
		"by the name":                  {[]string{"INPUT_TOKEN=ghs_abcdef", "db_password=hunter22", "MY_SECRET=sesame-x", "API_KEY=abcdefg"}, nil, []string{"ghs_abcdef", "hunter22", "sesame-x", "abcdefg"}},
		"not by a part of it":          {[]string{"AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/token"}, nil, nil},
		"too short":                    {[]string{"DB_PASSWORD=true", "GH_TOKEN="}, nil, nil},
		"in a URL, as it is and plain": {[]string{"SHOP_URL=postgres://shop:p%40ss-word@db/shop"}, nil, []string{"p%40ss-word", "p@ss-word"}},
		"a flag's":                     {nil, []string{"--token", "abcdefgh", "--password=sesame-x"}, []string{"abcdefgh", "sesame-x"}},
		"in JSON":                      {[]string{`X_SECRET=a"b<c>def`}, nil, []string{`a\"b\u003cc\u003edef`, `a"b<c>def`}},
		"line by line":                 {[]string{"PRIVATE_KEY=-----BEGIN\nabcdefghijk\nxy\n-----END"}, nil, []string{"-----BEGIN\\nabcdefghijk\\nxy\\n-----END", "-----BEGIN\nabcdefghijk\nxy\n-----END", "abcdefghijk", "-----BEGIN", "-----END"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := masksOf(test.variables, test.words)
			want := map[string]bool{}
			for _, value := range test.want {
				want[value] = true
				if hidden := got.hide("x " + value + " y"); hidden != "x *** y" {
					t.Errorf("%q is told as %q", value, hidden)
				}
			}
			for _, value := range got.values {
				if !want[value] {
					t.Errorf("%q is masked, expected %q", value, test.want)
				}
			}
			if diff := cmp.Diff(len(test.want), len(got.values)); diff != "" {
				t.Errorf("%q: %s", got.values, diff)
			}
		})
	}
}
