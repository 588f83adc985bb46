package release

import "testing"

// A field that is not written has the position of what is around it.
func TestPositions(t *testing.T) {
	loaded, err := Parse("shop/bluegreen.yaml", []byte(read(t, "full.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	positions := loaded.Positions()
	for field, want := range map[string]Position{
		"spec.database[0].pool.size":        {File: "shop/bluegreen.yaml", Line: 30, Column: 39},
		"spec.gates.profile":                {File: "shop/bluegreen.yaml", Line: 56, Column: 14},
		"spec.gates.profile.none.such[3]":   {File: "shop/bluegreen.yaml", Line: 56, Column: 14},
		"spec.gates.rules[1].disabled":      {File: "shop/bluegreen.yaml", Line: 60, Column: 45},
		"spec.gates.rules[1].minimumEffect": {File: "shop/bluegreen.yaml", Line: 60, Column: 9},
		"elsewhere":                         {File: "shop/bluegreen.yaml", Line: 2, Column: 1},
	} {
		if got, found := positions.Nearest(field); !found || got != want {
			t.Errorf("%s stands at %+v (%t), want %+v", field, got, found, want)
		}
	}
	if _, found := (Positions)(nil).Nearest("spec"); found {
		t.Error("a position is known of an object of which nothing is")
	}
}
