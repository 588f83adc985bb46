package plugin

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

// kindCheckTestReport is the kind of what check --test finds.
const kindCheckTestReport = "CheckTestReport"

// checkTestReport is what became of a test of checks, an output kind.
type checkTestReport struct {
	// Passed: every check found what was expected.
	Passed  bool              `json:"passed"`
	Results []checkTestResult `json:"results"`
}

// checkTestResult is what one check found in one snapshot.
type checkTestResult struct {
	Case   string            `json:"case"`
	ID     string            `json:"id"`
	Expect preflight.Outcome `json:"expect"`
	// Got is "" of a check that doesn't run at the stage of the snapshot.
	Got    preflight.Outcome `json:"got"`
	Cause  string            `json:"cause"`
	Passed bool              `json:"passed"`
}

// testChecks holds the checks of the Release at hand against what a file says that
// they must find in facts that were saved. Nothing is dialled.
func (i *invocation) testChecks(cmd *cobra.Command, flags *checkFlags, args []string) error {
	if err := flags.output.validate(); err != nil {
		return err
	}
	for _, flag := range []string{"save", "from", "stage", "to"} {
		if cmd.Flags().Changed(flag) {
			return usageError(cmd, "--"+flag+" doesn't go with --test: the snapshots were collected by theirs")
		}
	}
	if format := flags.output.report(); format != nil && format.Name != report.JUnit {
		return usageError(cmd, "-o "+flags.output.format+" doesn't go with --test: junit, json and yaml do")
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	opened, err := i.openFor(cmd.Context(), preflight.StagePR, service)
	if err != nil {
		return err
	}
	own, err := opened.document.checks()
	if err != nil {
		return err
	}
	var ids []string
	for _, check := range own.all() {
		ids = append(ids, check.ID)
	}
	test, err := i.testWithinCheckout(flags.test, ids)
	if err != nil {
		return err
	}
	found := checkTestReport{Passed: true}
	for _, one := range test.Cases {
		results, err := own.test(one)
		if err != nil {
			return err
		}
		found.Results = append(found.Results, results...)
	}
	found.Passed = !slices.ContainsFunc(found.Results, func(result checkTestResult) bool { return !result.Passed })
	return i.printCheckTest(&flags.output, found)
}

// test judges one case, check by check.
func (o *ownChecks) test(one release.CheckCase) ([]checkTestResult, error) {
	file, err := os.Open(one.Snapshot)
	if err != nil {
		return nil, release.WithHint(fmt.Errorf("case %s: read snapshot: %w", one.Name, err), "write one with: "+name+" check --save FILE")
	}
	defer file.Close()
	facts, err := preflight.Load(file)
	if err != nil {
		return nil, fmt.Errorf("case %s: %s: %w", one.Name, one.Snapshot, err)
	}
	worst := map[string]preflight.Finding{}
	for _, findings := range preflight.Evaluate(facts, o.all(), facts.Stage).Checks() {
		worst[findings[0].ID] = findings[0]
	}
	var results []checkTestResult
	for _, id := range slices.Sorted(maps.Keys(one.Expect)) {
		result := checkTestResult{Case: one.Name, ID: id, Expect: preflight.Outcome(one.Expect[id]), Cause: "it doesn't run at the snapshot's stage, " + string(facts.Stage)}
		if finding, ran := worst[id]; ran {
			result.Got, result.Cause = finding.Outcome, finding.Cause
		}
		result.Passed = result.Got == result.Expect
		results = append(results, result)
	}
	return results, nil
}

// printCheckTest prints what became of each case; a failure is exit 2.
func (i *invocation) printCheckTest(output *output, found checkTestReport) error {
	if output.report() != nil {
		return checkTestStatus(found, report.WriteTests(i.streams.Out, "kubectl bluegreen check --test", i.environment.Clock.Now(), found.cases()))
	}
	err := output.print(i.streams, object{Kind: kindCheckTestReport, Name: "checks", Value: found}, func() error {
		failed := 0
		for _, result := range found.Results {
			mark := i.streams.out.good()
			if !result.Passed {
				mark, failed = i.streams.out.bad(), failed+1
			}
			fmt.Fprintf(i.streams.Out, "%s %s %s: %s\n", mark, plain(result.Case), result.ID, result.Expect)
			if !result.Passed || output.wide() {
				fmt.Fprintf(i.streams.Out, "    got %s: %s\n", orNothing(result.Got), plain(result.Cause))
			}
		}
		fmt.Fprintf(i.streams.Out, "\n%d passed, %d failed\n", len(found.Results)-failed, failed)
		return nil
	})
	return checkTestStatus(found, err)
}

// checkTestStatus says by the exit code whether all passed.
func checkTestStatus(found checkTestReport, err error) error {
	if err == nil && !found.Passed {
		err = &StatusError{Status: ExitBlocked}
	}
	return err
}

// cases are the results for a CI server.
func (r checkTestReport) cases() []report.Test {
	var cases []report.Test
	for _, result := range r.Results {
		cases = append(cases, report.Test{
			ID: result.ID, Name: fmt.Sprintf("%s: %s is %s", result.Case, result.ID, result.Expect), Passed: result.Passed, Got: string(result.Got),
			Message: fmt.Sprintf("expected %s, got %s: %s", result.Expect, orNothing(result.Got), result.Cause),
		})
	}
	return cases
}

func orNothing(outcome preflight.Outcome) preflight.Outcome {
	if outcome == "" {
		return "nothing"
	}
	return outcome
}
