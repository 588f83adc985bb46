package report

import (
	"io"
	"time"
)

// Test is what became of one expectation about one check.
type Test struct {
	// ID is the check's, Name that of the test.
	ID, Name string
	Passed   bool
	// Got is the outcome that there was, and Message says what was expected and
	// found.
	Got, Message string
}

// WriteTests writes tests of checks as JUnit, a test case each.
func WriteTests(out io.Writer, name string, now time.Time, tests []Test) error {
	suite := junitSuite{Name: name, Timestamp: now.UTC().Format("2006-01-02T15:04:05")}
	for _, test := range tests {
		one := junitCase{Class: "bluegreen." + test.ID, Name: plain(test.Name)}
		if test.Passed {
			one.Output = plain(test.Message)
		} else {
			one.Failure = &junitMessage{Message: plain(test.Message), Type: test.Got}
		}
		suite.count(one)
		suite.Cases = append(suite.Cases, one)
	}
	return writeSuite(out, suite)
}
