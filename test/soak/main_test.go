package main

import (
	"strings"
	"testing"
)

func TestPartsOf(t *testing.T) {
	if all, err := partsOf(everything()); err != nil || len(all) != len(allParts()) {
		t.Errorf("%d parts, %v; want all", len(all), err)
	}
	if some, err := partsOf("kills,races"); err != nil || len(some) != 2 || some[0].name != "kills" {
		t.Errorf("%+v, %v", some, err)
	}
	if _, err := partsOf("kills,naps"); err == nil || !strings.Contains(err.Error(), `"naps": expected some of releases,`) {
		t.Errorf("err = %v", err)
	}
}

// Two programs add to one record: each has what the other one added in the
// document that it writes.
func TestTwoProgramsShareARecord(t *testing.T) {
	folder, text := t.TempDir(), ""
	races, kills := opened(t, folder), opened(t, folder)
	one := &keeper{kept: races, write: func() error { return nil }}
	other := &keeper{kept: kills, write: func() error { text = document(kills); return nil }}
	for _, err := range []error{one.add(outcome{Part: "a race", Passed: true}), other.add(outcome{Part: "a kill", Passed: true}), one.reload()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, "| a race | passed |") || !strings.Contains(text, "| a kill | passed |") || !one.done("a kill") {
		t.Errorf("something is missing in:\n%s", text)
	}
}
