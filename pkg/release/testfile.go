package release

import (
	"fmt"
	"path/filepath"
	"slices"
)

// KindCheckTest is the kind of a file that tests checks.
const KindCheckTest = "CheckTest"

// CheckTest says what checks must find in facts that were saved.
type CheckTest struct {
	// APIVersion is bluegreen.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is CheckTest.
	Kind string `json:"kind"`
	// Cases of the test.
	Cases []CheckCase `json:"cases"`
}

// CheckCase is one snapshot and what checks must find in it.
type CheckCase struct {
	// Name of the case.
	Name string `json:"name"`
	// Snapshot is a file of check --save, relative to the file of the test.
	Snapshot string `json:"snapshot"`
	// Expect is the worst outcome of each check, by its id.
	Expect map[string]string `json:"expect"`
}

// LoadCheckTest reads a test of checks from a file; the paths of the snapshots are
// then relative to where the program runs. known are the ids that there are.
// Mistakes are Problems.
func LoadCheckTest(path string, known []string) (*CheckTest, error) {
	text, err := loadText(path)
	if err != nil {
		return nil, err
	}
	var test CheckTest
	s, err := parseInto(path, text, KindCheckTest, &test)
	if err != nil {
		return nil, err
	}
	c := &checker{source: s}
	for i := range test.Cases {
		one := &test.Cases[i]
		field := fmt.Sprintf("cases[%d].expect", i)
		for id, outcome := range one.Expect {
			c.oneOf(join(field, id), outcome, "pass", "warn", "fail", "unknown", "skip")
			if !slices.Contains(known, id) {
				c.report(join(field, id), "no check is called "+shown(id), DidYouMean(id, known, ""))
			}
		}
		if !filepath.IsAbs(one.Snapshot) {
			one.Snapshot = filepath.Join(filepath.Dir(path), one.Snapshot)
		}
	}
	if len(test.Cases) == 0 {
		c.report("cases", "is empty: nothing would be tested", "")
	}
	if len(s.problems) > 0 {
		return nil, s.problems.sorted()
	}
	return &test, nil
}
