package main

import "testing"

// Of a tool that fails the tests are named, and not that it failed.
func TestWentWrongNamesTheTests(t *testing.T) {
	for output, want := range map[string]string{
		"ok  \ta\n--- FAIL: TestOne (0.02s)\n    --- FAIL: TestOne/two (0.01s)\n        one_test.go:3: no\nFAIL\nFAIL\texample.com/b\t1.2s\nFAIL\n": "--- FAIL: TestOne (0.02s); --- FAIL: TestOne/two (0.01s); FAIL example.com/b 1.2s",
		"panic: test timed out after 10m0s\nFAIL\n": "panic: test timed out after 10m0s",
		"go: no such tool\n\n":                      "go: no such tool",
		"":                                          "",
	} {
		if got := wentWrong(output); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
}
