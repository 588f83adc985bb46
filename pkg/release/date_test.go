package release

import (
	"strings"
	"testing"
	"time"
)

// A day is the same with quotes and without, and ends with its last moment in
// UTC.
func TestDate(t *testing.T) {
	text := read(t, "small.yaml")
	for _, written := range []string{"2027-02-28", `"2027-02-28"`} {
		loaded, err := Parse("f", []byte(text+"  checks: {suppress: [{id: BG-COL-09, reason: no drains, until: "+written+"}]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		ends, ok := loaded.Release.Spec.Checks.Suppress[0].Until.Ends()
		if want := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC); !ok || !ends.Equal(want) {
			t.Errorf("%s ends at %v, want %v", written, ends, want)
		}
		again, err := Marshal(loaded.Release, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("f", again); err != nil || !strings.Contains(string(again), "2027-02-28") {
			t.Errorf("it is written as %s: %v", again, err)
		}
	}
	if _, ok := Date("").Ends(); ok {
		t.Error("no date ends")
	}
}
