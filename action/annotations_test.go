package action

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestAnnotate(t *testing.T) {
	at := &release.Position{File: "deploy/green.yaml", Line: 14, Column: 16}
	found := &preflight.Report{Document: "bluegreen.yaml", Findings: []preflight.Finding{
		{ID: "A", Title: "passes", Outcome: preflight.Pass, Position: at},
		{ID: "B", Title: "is skipped", Outcome: preflight.Skip, Position: at},
		{ID: "C", Title: "blocks", Outcome: preflight.Fail, Blocks: true, Position: at, Subject: "deployment/shop", Cause: "no probe", Remedy: "add one"},
		{ID: "D", Title: "is not known", Outcome: preflight.Unknown, Blocks: true, Cause: "nobody answers"},
		{ID: "F", Title: "is acknowledged", Outcome: preflight.Pass, Acknowledged: "nobody names it", Position: at, Cause: "a column is dropped; acknowledged: nobody names it"},
		{ID: "G", Title: "says how much", Outcome: preflight.Pass, Told: true, Cause: "1 of 3 files judged"},
		{ID: "E", Title: "warns", Outcome: preflight.Warn, Position: at, Subject: "deployment/shop", Cause: "deployment/shop: a tag"},
	}}
	want := []annotation{
		{failure, "deploy/green.yaml", 14, 16, "C blocks", "deployment/shop: no probe\nTo put it right: add one"},
		{failure, "bluegreen.yaml", 0, 0, "D is not known", "unknown: nobody answers"},
		{notice, "deploy/green.yaml", 14, 16, "F is acknowledged", "a column is dropped; acknowledged: nobody names it"},
		{notice, "bluegreen.yaml", 0, 0, "G says how much", "1 of 3 files judged"},
		{warning, "deploy/green.yaml", 14, 16, "E warns", "deployment/shop: a tag"},
	}
	if diff := cmp.Diff(want, annotate(found), cmp.AllowUnexported(annotation{})); diff != "" {
		t.Error(diff)
	}
}

func TestAnnotateError(t *testing.T) {
	problems := release.Problems{
		{File: "b.yaml", Line: 5, Column: 3, Field: "spec.trafic", Message: "unknown field", Remedy: "did you mean traffic"},
		{File: "b.yaml", Message: "is empty"},
	}
	want := []annotation{
		{failure, "b.yaml", 5, 3, "a mistake in the Release", "spec.trafic: unknown field\ndid you mean traffic"},
		{failure, "b.yaml", 0, 0, "a mistake in the Release", "is empty"},
	}
	options := cmp.AllowUnexported(annotation{})
	if diff := cmp.Diff(want, annotateError(fmt.Errorf("read: %w", problems)), options); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:1], annotateError(fmt.Errorf("read: %w", problems[0])), options); diff != "" {
		t.Error(diff)
	}
	plain := []annotation{{failure, "", 0, 0, "bluegreen", "no cluster\nname one"}}
	if diff := cmp.Diff(plain, annotateError(release.WithHint(errors.New("no cluster"), "name one")), options); diff != "" {
		t.Error(diff)
	}
}

// Of more annotations than are shown the rest is told in one, level by level, and
// some stay for the step itself.
func TestAnnotationsStayUnderTheLimits(t *testing.T) {
	for _, test := range []struct{ errors, warnings, shownErrors, shownWarnings, more int }{
		{8, 1, 8, 1, 0}, {9, 0, 8, 0, 2}, {30, 8, 8, 8, 23}, {0, 0, 0, 0, 0},
	} {
		s, out := newTestStep(t, nil)
		var all []annotation
		for range test.errors {
			all = append(all, annotation{level: failure, message: "e"})
		}
		for range test.warnings {
			all = append(all, annotation{level: warning, message: "w"})
		}
		s.tellFindings(all)
		for range 20 {
			s.notice("n")
		}
		if got := strings.Count(out.String(), "::error"); got != test.shownErrors {
			t.Errorf("%d errors are told as %d", test.errors, got)
		}
		if got := strings.Count(out.String(), "::warning"); got != test.shownWarnings {
			t.Errorf("%d warnings are told as %d", test.warnings, got)
		}
		if got := strings.Count(out.String(), "::notice"); got != mostAnnotations {
			t.Errorf("20 notices are told as %d", got)
		}
		if more := fmt.Sprintf("::%d more of these are not shown here.", test.more); strings.Contains(out.String(), more) != (test.more > 0) {
			t.Errorf("%d more are not told:\n%s", test.more, out)
		}
	}
}

// What somebody else has written stays in the message or the field that it is
// of.
func TestAnAnnotationIsOneCommand(t *testing.T) {
	s, out := newTestStep(t, map[string]string{"GITHUB_WORKSPACE": "/w"})
	s.tell(annotation{level: failure, file: "/w/a,line=1::b.yaml", line: 2, title: "x,file=y::z\n::error::t", message: "100 %\r\n::error::owned"})
	want := "::error file=a%2Cline=1%3A%3Ab.yaml,line=2,title=x%2Cfile=y%3A%3Az %3A%3Aerror%3A%3At::100 %25%0D%0A::error::owned\n"
	if out.String() != want {
		t.Errorf("%s\nexpected\n%s", out, want)
	}
	out.Reset()
	s.tell(annotation{level: notice, message: strings.Repeat("ä", 5000)})
	if got := strings.Count(out.String(), "ä"); got != mostCharacters-1 || !strings.HasSuffix(out.String(), "ä…\n") {
		t.Errorf("%d characters are told", got)
	}
}
