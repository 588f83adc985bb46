package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
)

func TestDealGivesEveryTestOnce(t *testing.T) {
	for name, c := range map[string]struct {
		tests, heavy []string
		sides        int
		want         [][]string
	}{
		"in turn":                {[]string{"TestA", "TestB", "TestC"}, nil, 2, [][]string{{"TestA", "TestC"}, {"TestB"}}},
		"heavy ones on one side": {[]string{"TestA", "TestB", "TestC", "TestD"}, []string{"TestB", "TestD"}, 2, [][]string{{"TestB", "TestD"}, {"TestA", "TestC"}}},
		"fewer tests than sides": {[]string{"TestA"}, nil, 3, [][]string{{"TestA"}}},
		"no side without a test": {[]string{"TestA", "TestB"}, []string{"TestA", "TestB"}, 2, [][]string{{"TestA", "TestB"}}},
	} {
		t.Run(name, func(t *testing.T) {
			hands, err := deal(c.tests, c.heavy, c.sides)
			if diff := cmp.Diff(c.want, hands); err != nil || diff != "" {
				t.Errorf("err = %v, hands %s", err, diff)
			}
		})
	}
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("Test%d", i)
	}
	hands, err := deal(many, []string{"Test5", "Test7"}, 2)
	if err != nil || len(hands[0])+2*(heaviness-1) != len(hands[1]) || len(hands[0])+len(hands[1]) != len(many) {
		t.Errorf("%d and %d tests, %v", len(hands[0]), len(hands[1]), err)
	}
	if _, err := deal([]string{"TestA"}, []string{"TestGone"}, 2); err == nil || !strings.Contains(err.Error(), "no test TestGone") {
		t.Errorf("err = %v", err)
	}
}

// What is late is in no side's hand, and the rest in their order.
func TestPart(t *testing.T) {
	tests := []string{"TestA", "TestB", "TestC", "TestD"}
	for name, c := range map[string]struct{ late, rest, last []string }{
		"nothing is late": {nil, tests, nil},
		"two are":         {[]string{"TestC", "TestA"}, []string{"TestB", "TestD"}, []string{"TestA", "TestC"}},
	} {
		rest, last, err := part(tests, c.late, "late")
		if diff := cmp.Diff([][]string{c.rest, c.last}, [][]string{rest, last}); err != nil || diff != "" {
			t.Errorf("%s: err = %v, parts %s", name, err, diff)
		}
	}
	for says, late := range map[string][]string{"no test TestGone": {"TestA", "TestGone"}, "that is every test": tests} {
		if _, _, err := part(tests, late, "late"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("with %v late: err = %v, want %q", late, err, says)
		}
	}
}

// The sides are run for real, with this very binary: what fails on one side
// fails the whole, and every line says whose it is.
func TestSidesRunAndFail(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(playVariable, "yes")
	for _, fails := range []string{"", "TestPlayTwo", "TestPlayLast"} {
		t.Setenv(failVariable, fails)
		var out bytes.Buffer
		err := run(context.Background(), []string{"--again=0", "--heavy=TestPlayTwo", "--late=TestPlayLast", "--", self, "-test.v"}, &out)
		if failed := err != nil; failed != (fails != "") {
			t.Errorf("with %q failing: err = %v\n%s", fails, err, &out)
		}
		for _, name := range []string{"TestPlayOne", "TestPlayTwo", "TestPlayLast"} {
			if got := strings.Count(out.String(), "| played "+name+"\n"); got != 1 {
				t.Errorf("%s ran %d times\n%s", name, got, &out)
			}
		}
		if ended := sideEnds.FindStringIndex(out.String()); len(ended) == 0 || strings.Index(out.String(), "| played TestPlayLast\n") < ended[0] {
			t.Errorf("with %q failing, what is late is not played behind a side\n%s", fails, &out)
		}
		lines, told, _ := strings.Cut(out.String(), "failed: ")
		if fails != "" && told != fails+"\n    played "+fails+"\n" || fails == "" && told != "" {
			t.Errorf("with %q failing, the end tells %q", fails, told)
		}
		for line := range strings.Lines(lines) {
			if !strings.HasPrefix(line, "1| ") && !strings.HasPrefix(line, "2| ") {
				t.Errorf("whose is %q?", line)
			}
		}
	}
	for _, args := range [][]string{
		{}, {"--sides=0", "--", self}, {"--", "no-such-binary"},
		{"--late=TestGone", "--", self}, {"--late=TestPlayOne,TestPlayTwo,TestPlayLast,TestPlayParts", "--", self}, {"--late=TestPlayLast", "--heavy=TestPlayLast", "--", self},
	} {
		if err := run(context.Background(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("run(%v) passed", args)
		}
	}
}

// What is left to others is not run.
func TestSidesLeaveTestsOut(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(playVariable, "yes")
	var out bytes.Buffer
	if err := run(context.Background(), []string{"--without=TestPlayTwo", "--late=TestPlayLast", "--", self, "-test.v"}, &out); err != nil {
		t.Errorf("err = %v\n%s", err, &out)
	}
	if !strings.Contains(out.String(), "played TestPlayLast\n") || strings.Contains(out.String(), "played TestPlayTwo\n") {
		t.Errorf("what was played is not all but one\n%s", &out)
	}
	if err := run(context.Background(), []string{"--without=TestGone", "--", self}, &out); err == nil || !strings.Contains(err.Error(), "read --without: there is no test TestGone") {
		t.Errorf("err = %v", err)
	}
}

// A test that fails beside others and passes by itself has passed, and is told. One
// that fails again has failed, and so have more than may be run again, and a binary
// that ended in the middle. Where a promise was broken nothing is run again.
func TestFailedTestsAreRunAgainAlone(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(playVariable, "yes")
	for name, c := range map[string]struct {
		fails, times, again string
		passes              bool
		says                string
	}{
		"passes alone":       {"TestPlayTwo", once, "1", true, "failed beside others and passed alone: TestPlayTwo\n"},
		"a part of it":       {"TestPlayParts/inner", once, "1", true, "failed beside others and passed alone: TestPlayParts\n"},
		"fails again":        {"TestPlayTwo", always, "1", false, "failed again: TestPlayTwo\n"},
		"too many":           {"TestPlayTwo", once, "0", false, "failed: TestPlayTwo\n"},
		"breaks a promise":   {"TestPlayParts/inner", breaks, "3", false, "promise broken: it is played"},
		"ends in the middle": {"TestPlayTwo", panics, "3", false, "failed: TestPlayTwo\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(failVariable, c.fails)
			t.Setenv(timesVariable, c.times)
			t.Setenv(memoryVariable, filepath.Join(t.TempDir(), "failed"))
			var out bytes.Buffer
			err := run(context.Background(), []string{"--again=" + c.again, "--", self, "-test.v"}, &out)
			if (err == nil) != c.passes || !strings.Contains(out.String(), c.says) {
				t.Errorf("err = %v, want passed %v and %q\n%s", err, c.passes, c.says, &out)
			}
			if told := err != nil && strings.Contains(err.Error(), "a promise was broken, which is not tried again: TestPlayParts"); told != (c.times == breaks) {
				t.Errorf("err = %v", err)
			}
			if again := strings.Contains(out.String(), "once more, alone"); again != (c.passes || c.times == always) {
				t.Errorf("run again: %v\n%s", again, &out)
			}
		})
	}
}

// sideEnds is the line with which a test binary ends.
var sideEnds = regexp.MustCompile(`(?m)^\d\| (PASS|FAIL)$`)

const (
	// playVariable makes the tests below play; they are what the sides run.
	playVariable = "SIDES_PLAY"
	failVariable = "SIDES_FAIL"
	// timesVariable says how it fails, and memoryVariable names the file by which
	// it knows that it has.
	timesVariable  = "SIDES_TIMES"
	memoryVariable = "SIDES_MEMORY"
	always         = ""
	once           = "once"
	panics         = "panics"
	breaks         = "breaks"
)

func TestPlayOne(t *testing.T)  { play(t) }
func TestPlayTwo(t *testing.T)  { play(t) }
func TestPlayLast(t *testing.T) { play(t) }
func TestPlayParts(t *testing.T) {
	t.Run("inner", func(t *testing.T) { play(t) })
}

func play(t *testing.T) {
	if os.Getenv(playVariable) == "" {
		return // it is only played on a side
	}
	os.Stdout.WriteString("played " + t.Name() + "\n")
	if os.Getenv(failVariable) != t.Name() {
		return
	}
	switch os.Getenv(timesVariable) {
	case panics:
		panic("played")
	case once, breaks:
		memory, err := os.OpenFile(os.Getenv(memoryVariable), os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return // it has failed before
		}
		_ = memory.Close()
	}
	if os.Getenv(timesVariable) == breaks {
		t.Error(promise.Broken + "it is played")
	}
	t.Fail()
}

// TestMain leaves, of what a side runs, only what is played: the tests of the
// sides would run sides themselves.
func TestMain(m *testing.M) {
	if os.Getenv(playVariable) == "" {
		os.Exit(m.Run())
	}
	if slices.Contains(os.Args[1:], "-test.list=^Test") {
		os.Stdout.WriteString("TestPlayOne\nTestPlayTwo\nTestPlayLast\nTestPlayParts\n")
		os.Exit(0)
	}
	os.Exit(m.Run())
}
