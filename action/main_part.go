package action

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// What main leaves to post, as the runner keeps it.
const (
	stateCommand    = "command"
	stateRun        = "run-id"
	stateFinished   = "finished"
	stateFolder     = "report"
	stateHolder     = "holder"
	stateDeployment = "deployment"
)

// factsFile is where a check leaves the facts that it looked at.
const factsFile = "snapshot.json"

// main runs the command and tells how it came out.
func (s *step) main(ctx context.Context) int {
	if len(s.mistakes) > 0 {
		return s.refuse()
	}
	facts := ""
	folder, err := makeFolder(s.around.temp, s.in.command.name)
	if err != nil {
		s.notice("no files are left behind: %v", err)
	} else {
		s.folder, facts = folder, filepath.Join(folder, factsFile)
	}
	if s.in.command.drives {
		kept := s.remember(stateCommand, s.in.command.name) && s.remember(stateFolder, s.folder) && s.remember(stateHolder, s.environment.Plugin.Identity)
		if !kept {
			s.notice("a run that is cut off is not looked after (GITHUB_STATE can't be written): kubectl bluegreen status says where it stands")
		}
	}
	began := s.clock.Now()
	seen, code := s.perform(ctx, s.in.line(facts), s.log.stream, func(seen observed) { s.begun(ctx, seen) })
	if s.in.command.drives && (ctx.Err() == nil || seen.ended()) {
		s.remember(stateFinished, "true")
	}
	s.output(outputsOf(code, seen, s.folder, s.clock.Since(began), s.in.command.name))
	s.conclude(ctx, seen, code)
	return code
}

// begun leaves word of a run to post, and shows it as a deployment.
func (s *step) begun(ctx context.Context, seen observed) {
	s.remember(stateRun, seen.began)
	if s.in.command.deploys && s.github != nil {
		s.deployment = s.deploy(ctx, seen.metadata)
	}
}

// conclude tells how a command came out, everywhere where it is told: on this
// machine first, for GitHub may take its time.
func (s *step) conclude(ctx context.Context, seen observed, code int) {
	telling, cancel := telling(ctx)
	defer cancel()
	verdict := verdictOf(code, seen)
	summary := s.masks.hide(s.summaryOf(seen, verdict))
	if err := s.leave(seen, summary); err != nil {
		s.notice("not every file could be left behind: %v", err)
	}
	if err := summarise(s.around.summary, summary, s.rest()); err != nil {
		s.notice("there is no summary of the step: %v", err)
	}
	s.tellFindings(annotationsOf(seen, verdict))
	s.comment(telling, summary)
	s.deployed(telling, seen, verdict)
}

// annotationsOf are the annotations of what a command came to: how it ended first,
// for of many findings not each has room.
func annotationsOf(seen observed, verdict string) []annotation {
	var all []annotation
	if seen.failure != nil && seen.failure.Error() != "" {
		all = annotateError(seen.failure)
	}
	if standing := seen.standing; standing != nil && verdict != passed && verdict != underWay && standing.Message != "" {
		all = append(all, annotation{level: failure, title: "bluegreen", message: next(standing.Message, standing.Next)})
	}
	if seen.report != nil {
		all = append(all, annotate(seen.report)...)
	}
	return all
}

// next adds the one command to type.
func next(message, command string) string {
	if command == "" {
		return message
	}
	return message + "\nnext: " + command
}

// summaryOf is all of it in Markdown.
func (s *step) summaryOf(seen observed, verdict string) string {
	var parts []string
	if seen.standing != nil {
		parts = append(parts, runSummary(*seen.standing, verdict))
	}
	// A run that has passed its checks is told without them.
	if seen.report != nil && (seen.standing == nil || seen.report.Blocked()) {
		parts = append(parts, reportSummary(seen))
	}
	if seen.failure != nil && seen.failure.Error() != "" {
		text := fmt.Sprintf("### kubectl bluegreen %s: %s %s\n\n", s.in.command.name, sign(verdict), wording(verdict))
		for _, one := range annotateError(seen.failure) {
			text += "- " + report.MarkdownText(s.placed(one)) + "\n"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n")
}

// placed is what an annotation says and where.
func (s *step) placed(one annotation) string {
	if one.file == "" {
		return one.message
	}
	return fmt.Sprintf("%s:%d:%d: %s", s.around.within(one.file), one.line, one.column, one.message)
}

// reportSummary is a report in Markdown.
func reportSummary(seen observed) string {
	for _, format := range report.Formats() {
		if format.Name != "markdown" {
			continue
		}
		var text strings.Builder
		if err := format.Write(&text, seen.report, seen.tool); err == nil {
			return text.String()
		}
	}
	return ""
}

// comment leaves what a check found on the pull request.
func (s *step) comment(ctx context.Context, summary string) {
	if !s.in.command.staged || s.github == nil || summary == "" {
		return
	}
	if s.around.unread != "" {
		s.notice("no comment is left on the pull request, for it isn't known which that is: %s", s.around.unread)
	}
	if s.around.pull == 0 {
		return
	}
	if link := s.around.link(); link != "" {
		summary += fmt.Sprintf("\n[%s of %s](%s)\n", report.MarkdownText(cmp.Or(s.around.job, "run")), report.MarkdownText(shortened(s.around.sha)), link)
	}
	err := s.github.comment(ctx, s.around.pull, marker(s.around, s.in), within(summary, mostComment-len(marker(s.around, s.in))-1, "the summary of the step"))
	switch {
	case readOnly(err) && s.around.fork:
		s.notice("no comment is left on the pull request, for it comes from a fork, whose token may only read: the summary of the step has all of it")
	case readOnly(err):
		s.notice("no comment is left on the pull request, for the token may not write it (%v): the summary of the step has all of it; permissions: {pull-requests: write} lets it, and token: \"\" asks for none", err)
	case err != nil:
		s.notice("no comment could be left on the pull request: %v; the summary of the step has all of it", err)
	}
}

// shortened is a commit as people write it.
func shortened(sha string) string { return cut(sha, 10)[:min(len(sha), 9)] }

// pendingDeployment is a deployment that is being made.
type pendingDeployment struct {
	done chan struct{}
	id   int64
	err  error
}

// deploy makes a deployment of a release while the run goes on, which does not
// wait for GitHub.
func (s *step) deploy(ctx context.Context, of release.Metadata) *pendingDeployment {
	pending := &pendingDeployment{done: make(chan struct{})}
	go func() {
		defer close(pending.done)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellingTime)
		defer cancel()
		if pending.id, pending.err = s.github.deploy(bounded, s.around.sha, of); pending.err != nil {
			return
		}
		s.remember(stateDeployment, fmt.Sprint(pending.id))
		pending.err = s.github.status(bounded, pending.id, inProgress, "the shift goes on", s.around.link(), s.in.environmentURL)
	}()
	return pending
}

// deployed tells how the deployment stands.
func (s *step) deployed(ctx context.Context, seen observed, verdict string) {
	pending := s.deployment
	if pending == nil {
		return
	}
	var err error
	select {
	case <-pending.done:
		err = pending.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		err = s.github.status(ctx, pending.id, stateOf(verdict), describe(seen, verdict), s.around.link(), s.in.environmentURL)
	}
	s.undeployed(err)
}

// undeployed tells why a deployment is not shown as it stands.
func (s *step) undeployed(err error) {
	switch {
	case readOnly(err):
		s.notice("the run is not shown as a deployment, for the token may not write it (%v): permissions: {deployments: write} lets it, and token: \"\" asks for none", err)
	case err != nil:
		s.notice("the deployment could not be told how the run stands: %v", err)
	}
}

// describe is how a run came out, in a few words.
func describe(seen observed, verdict string) string {
	if seen.standing != nil && seen.standing.Message != "" {
		return seen.standing.Message
	}
	return wording(verdict)
}

// ended reports whether there is nothing left to do about the run of a command.
func (o observed) ended() bool { return o.standing != nil && over(*o.standing) }

// over reports whether a run has come to an end of its own.
func over(standing plugin.Standing) bool {
	return !standing.Open && !standing.Status.Finished.IsZero()
}
