package action

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// remembered is what main has left to post.
type remembered struct {
	command    command
	run        string
	holder     string
	folder     string
	finished   bool
	deployment int64
}

func (s *step) recall() remembered {
	state := func(name string) string { return s.actions.Getenv("STATE_" + name) }
	found := remembered{run: state(stateRun), holder: state(stateHolder), folder: state(stateFolder), finished: state(stateFinished) == "true"}
	found.command, _ = commandNamed(state(stateCommand))
	found.deployment, _ = strconv.ParseInt(state(stateDeployment), 10, 64) // 0 is none
	return found
}

// recognised is what main has left, with the run that it drives where it was killed
// between the record of that run and the first word of it: its holder is main's own.
func (m remembered) recognised(standing *plugin.Standing) remembered {
	if m.run == "" && m.holder != "" && standing != nil && standing.Status.Holder == m.holder && !over(*standing) {
		m.run = standing.Status.ID
	}
	return m
}

// fate is what is left to do about a run that main drove.
type fate string

const (
	// unseen: nobody can say how it stands.
	unseen fate = "unseen"
	// unbegun: main was cut off before it had a run.
	unbegun fate = "unbegun"
	// replaced: another run is there now.
	replaced fate = "replaced"
	// ended: it came to its end, by whoever went on with it.
	ended fate = "ended"
	// goesBack: it is to be rolled back.
	goesBack fate = "goes back"
	// left: it is left to a guard or a person.
	left fate = "left"
)

// fateOf says what is left to do about a run, by how it stands. Only the run that
// main itself has driven is ever rolled back.
func fateOf(main remembered, standing *plugin.Standing, onCancel string) fate {
	switch {
	case standing == nil:
		return unseen
	case main.run == "":
		return unbegun
	case standing.Status.ID != main.run:
		return replaced
	case over(*standing):
		return ended
	case onCancel == rollBack:
		return goesBack
	}
	return left
}

// post looks after a run whose main was cut off. Done again, it finds nothing
// left to do.
func (s *step) post(ctx context.Context) int {
	main := s.recall()
	if !main.command.drives || main.finished {
		return plugin.ExitDone
	}
	s.folder = main.folder
	if releaseProblem(s.in.release) != "" {
		s.in.release = "" // it is gone; the run has left a copy in the cluster
	}
	s.in.command = main.command
	same := plugin.Selection(s.in.line(""))
	seen, code := s.look(ctx, main, append([]string{"status"}, same...))
	main = main.recognised(seen.standing)
	switch fateOf(main, seen.standing, s.in.onCancel) {
	case unbegun:
		s.notice("the step was cut off before it had begun a run: nothing was moved by it")
	case replaced:
		s.notice("run %s is not the last one any more: there is nothing left to do about it", main.run)
		s.followed(ctx, main)
	case ended:
		s.after(ctx, main, seen, code)
	case goesBack:
		line := append([]string{"rollback", "--run=" + main.run, "--reason=the workflow was cancelled"}, same...)
		if seen, code = s.perform(ctx, line, s.log.stream, func(observed) {}); ctx.Err() == nil || seen.ended() {
			s.remember(stateFinished, "true")
		}
		s.after(ctx, main, seen, code)
		return code
	case left:
		s.tell(annotation{level: warning, title: "bluegreen", message: next(standingText(*seen.standing), seen.standing.Next)})
		s.after(ctx, main, seen, code)
	case unseen:
		s.tell(annotation{level: warning, title: "bluegreen", message: "the step was cut off, and how its run stands can't be seen\nnext: kubectl bluegreen status"})
		s.after(ctx, main, seen, code)
	}
	return plugin.ExitDone
}

// standingText says that a run was left, and how it stands.
func standingText(standing plugin.Standing) string {
	status := standing.Status
	text := "the step was cut off; run " + status.ID + " was left in phase " + string(status.Phase)
	switch {
	case status.Phase == rollout.Held:
	case status.Silent || !standing.Open:
		text += ", and nobody drives it"
	default:
		text += ", driven by " + status.Holder
	}
	return text
}

// after tells how a run stands after post.
func (s *step) after(ctx context.Context, main remembered, seen observed, code int) {
	if seen.standing != nil && main.deployment != 0 && s.github != nil {
		done := make(chan struct{})
		close(done)
		s.deployment = &pendingDeployment{done: done, id: main.deployment}
	}
	if seen.standing != nil && seen.standing.Message == "" {
		seen.standing.Message = standingText(*seen.standing)
	}
	s.conclude(ctx, seen, code)
}

// followed takes a deployment out of progress whose run another one has followed.
func (s *step) followed(ctx context.Context, main remembered) {
	if main.deployment == 0 || s.github == nil {
		return
	}
	telling, cancel := telling(ctx)
	defer cancel()
	s.undeployed(s.github.status(telling, main.deployment, inactive, "another run has followed", s.around.link(), s.in.environmentURL))
}

// How long a process that was killed is waited for to fall silent, and how often
// it is looked at. A lease lasts for 15 s where nobody says otherwise.
const (
	silenceTime  = 40 * time.Second
	silenceEvery = 2 * time.Second
)

// look looks how a run stands. Right after a kill it seems to be driven by a
// process that is gone: what to do about it can't be told before that is silent.
func (s *step) look(ctx context.Context, main remembered, line []string) (observed, int) {
	began := s.clock.Now()
	for {
		seen, code := s.perform(ctx, line, discarded, func(observed) {})
		standing := seen.standing
		gone := standing != nil && standing.Open && !standing.Status.Silent && standing.Status.Holder == main.holder
		if !gone || s.clock.Since(began) > silenceTime {
			return seen, code
		}
		select {
		case <-ctx.Done():
			return seen, code
		case <-s.clock.After(silenceEvery):
		}
	}
}

// discarded is a stream that nobody reads.
func discarded() io.WriteCloser { return nowhere{io.Discard} }

type nowhere struct{ io.Writer }

// Close does nothing.
func (nowhere) Close() error { return nil }
