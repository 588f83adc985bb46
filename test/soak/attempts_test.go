package main

import "testing"

func TestAttempts(t *testing.T) {
	outcomes := []outcome{
		{Part: "one", Detail: "refused\nby the server"}, {Part: "one", Passed: true},
		{Part: "two", Passed: true}, {Part: "two", Detail: "late\nby a minute"},
		{Part: "three", Detail: "never came there", Missed: true},
	}
	detail := func(found outcome) string { return found.Part + ": " + found.Detail }
	want := "\nAttempts that failed:\n\n- one: refused (passed since)\n- two: late\n  by a minute\n"
	if got := attempts(outcomes, detail); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := attempts(outcomes[1:3], detail); got != "" {
		t.Errorf("%q of what passed", got)
	}
}
