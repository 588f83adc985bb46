package action

import (
	"context"
	"path/filepath"
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
	facts := ""
	folder, err := makeFolder(s.around.temp, s.in.command.name)
	if err != nil {
		s.notice("no files are left behind: %v", err)
	} else {
		s.folder, facts = folder, filepath.Join(folder, factsFile)
	}
	if len(s.mistakes) > 0 {
		return s.refuse(ctx)
	}
	if s.in.command.drives {
		kept := s.remember(stateCommand, s.in.command.name) && s.remember(stateFolder, s.folder) && s.remember(stateHolder, s.environment.Plugin.Identity)
		if !kept {
			s.notice("a run that is cut off is not looked after (GITHUB_STATE can't be written): kubectl bluegreen status says where it stands")
		}
	}
	began := s.clock.Now()
	seen, code := s.perform(ctx, s.in.line(facts), s.log.stream, func(seen observed) { s.begun(ctx, seen) })
	code = exitOf(code, seen, s.in.command)
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
