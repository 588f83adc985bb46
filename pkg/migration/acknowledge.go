package migration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// allowed are the rules that the comments of a statement acknowledge, each with
// its reason. A comment that names no rule, or gives no reason, is a mistake in
// the file.
func allowed(file string, read statement.Statement) (map[string]string, release.Problems) {
	reasons := map[string]string{}
	if !slices.ContainsFunc(read.Comments, func(c statement.Comment) bool { return strings.Contains(c.Text, "bluegreen:allow") }) {
		return reasons, nil
	}
	allowComment := regexp.MustCompile(`(?s)^(?:--|/\*)\s*bluegreen:allow\b(.*)$`) // or the same in /* */
	var problems release.Problems
	for _, comment := range read.Comments {
		match := allowComment.FindStringSubmatch(comment.Text)
		if match == nil {
			continue
		}
		id, reason, _ := strings.Cut(strings.TrimSpace(strings.TrimSuffix(match[1], "*/")), " ")
		reason = strings.TrimSpace(reason)
		problem := &release.Problem{File: file, Line: comment.At.Line, Column: comment.At.Column}
		if _, known := ruleByID(id); !known {
			err := unknownRule(id)
			problem.Message, problem.Remedy = "acknowledge: "+err.Error(), release.HintOf(err)
		} else if reason == "" {
			problem.Message = fmt.Sprintf("acknowledge %s: the reason is missing", id)
			problem.Remedy = fmt.Sprintf("-- bluegreen:allow %s why nobody is hurt by it", id)
		}
		if problem.Message != "" {
			problems = append(problems, problem)
			continue
		}
		reasons[id] = reason
	}
	return reasons, problems
}
