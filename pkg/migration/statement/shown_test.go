package statement

import "testing"

func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"ALTER ROLE app -- who\n  PASSWORD 'x' VALID UNTIL 'infinity'": "ALTER ROLE app PASSWORD '…' VALID UNTIL '…'",
		`SELECT E'a\'b', U&'c', $$d$$, $t$ e $t$, "F", 1`:              `SELECT '…', '…', '…', '…', "F", 1`,
		"ALTER ROLE app PASSWORD 'x":                                   "ALTER ROLE app PASSWORD …",
		"ALTER TABLE ${s}.orders ADD a int":                            "ALTER TABLE ${s}.orders ADD a int",
		`\connect postgres://app:x@db/shop`:                            `\connect …`,
		`\! psql postgres://app:x@db/shop`:                             `\! …`,
		"DO $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''x'''; END $$":  "DO '…'",
	} {
		read := Split(text)[0]
		if got := read.Shown(); got != want {
			t.Errorf("%s: shows %s, want %s", text, got, want)
		}
	}
}
