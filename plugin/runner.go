package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// artefactDirectory is where a run keeps what it preserves, a folder a run.
const artefactDirectory = "bluegreen-runs"

// work is everything that a command needs to act on one release.
type work struct {
	document *document
	client   *cluster.Client
	router   traffic.Router
	sources  []measure.Source
	// undeclared is what no source was declared for.
	undeclared []measure.Undeclared
	// lease is how long this process may be silent; 0 is the default.
	lease time.Duration
}

// reach finds the Release of a run and connects to the route that it names. It
// opens no source of measurements, for that asks every pod and every database,
// which an emergency can't wait for; nor does it want a file without mistakes.
func (i *invocation) reach(ctx context.Context, service string) (*work, error) {
	found, err := i.documentOfRun(ctx, service)
	if err != nil {
		return nil, err
	}
	return i.connect(found)
}

// connect connects to the route that a Release names.
func (i *invocation) connect(found *document) (*work, error) {
	client, err := i.client()
	if err != nil {
		return nil, err
	}
	router, err := traffic.NewRouter(client, found.Release, i.environment.Clock)
	if err != nil {
		return nil, cluster.Explain(err)
	}
	return &work{document: found, client: client, router: router}, nil
}

// open finds the Release, connects to its route and opens the sources of
// measurements. With a lenient open, one that can't be opened is told and left
// out.
func (i *invocation) open(ctx context.Context, service string, lenient bool) (*work, error) {
	found, err := i.document(ctx, service)
	if err != nil {
		return nil, err
	}
	opened, err := i.connect(found)
	if err != nil {
		return nil, err
	}
	return opened, i.measure(ctx, opened, lenient)
}

// measure opens the sources of a release that was reached.
func (i *invocation) measure(ctx context.Context, opened *work, lenient bool) error {
	var err error
	opened.sources, opened.undeclared, err = measure.NewSources(ctx, opened.client, opened.document.Release, i.environment.Clock)
	if err != nil && lenient {
		i.note("%s going on without measurements: %v", i.streams.err.doubtful(), cluster.Explain(err))
		return nil
	}
	return cluster.Explain(err)
}

// close ends the sessions that sources hold. What can't be closed can't be
// helped either: the process is about to end.
func (w *work) close() {
	for _, source := range w.sources {
		if closer, ok := source.(io.Closer); ok {
			_ = closer.Close()
		}
	}
}

// namespace is the release's.
func (w *work) namespace() string { return w.document.Release.Metadata.Namespace }

// runner puts a rollout.Runner together whose progress goes to stderr.
func (i *invocation) runner(opened *work, progress func(rollout.Event)) *rollout.Runner {
	found := opened.document
	return &rollout.Runner{
		Client:    opened.client,
		Release:   found.Release,
		Document:  found.Text,
		Directory: found.Directory,
		Router:    opened.router,
		Sources:   opened.sources,
		Reopen: func(ctx context.Context) ([]measure.Source, error) {
			sources, undeclared, err := measure.NewSources(ctx, opened.client, found.Release, i.environment.Clock)
			if err != nil {
				return nil, err
			}
			opened.close()
			opened.sources, opened.undeclared = sources, undeclared
			return sources, nil
		},
		Journal:   i.journal(opened.client, opened.namespace(), found.Release.Metadata.Name),
		Clock:     i.environment.Clock,
		Holder:    i.environment.Identity,
		Artefacts: cmp.Or(i.environment.Artefacts, artefactDirectory),
		Progress:  progress,
		Preflight: func(ctx context.Context, target string) (*preflight.Report, error) {
			return i.preflight(ctx, opened, target, preflight.StageDeploy)
		},
		Migrations: func() []string {
			return preflight.IrreversibleMigrations(i.inputs(opened, &ownChecks{}, "", preflight.StagePR))
		},
		LeaseDuration: opened.lease,
	}
}

// drive runs one of the runner's verbs with its progress on stderr and tells
// the outcome.
func (i *invocation) drive(ctx context.Context, output *output, opened *work, verb func(context.Context, *rollout.Runner) (rollout.Outcome, error)) error {
	i.introduce(opened)
	shown := newProgress(i.streams, i.environment.Clock)
	outcome, err := verb(ctx, i.runner(opened, func(event rollout.Event) {
		event.Message = i.pasteable(event.Message)
		i.environment.Observer.progressed(event)
		shown.Show(event)
	}))
	shown.Close()
	err = overtaken(err)
	if err != nil && outcome.Message == "" {
		return cluster.Explain(err)
	}
	if failure := i.conclude(output, opened, outcome); failure != nil {
		return failure
	}
	if err != nil {
		return &StatusError{Status: max(outcome.Code, ExitStatus(ctx, err)), Err: cluster.Explain(err)}
	}
	if outcome.Code != ExitDone {
		return &StatusError{Status: outcome.Code}
	}
	return nil
}

// overtaken tells a run that somebody else has taken over, which is in good
// hands, from a failure of the tool.
func overtaken(err error) error {
	if !errors.Is(err, journal.ErrLost) {
		return err
	}
	return &StatusError{Status: ExitHeld, Err: release.WithHint(err, "kubectl bluegreen status -w")}
}

// introduce says where the Release came from, what was guessed about it, and
// what nothing will be measured about.
func (i *invocation) introduce(opened *work) {
	metadata := opened.document.Release.Metadata
	i.environment.Observer.opened(metadata)
	i.note("%s in namespace %s, from %s", metadata.Name, metadata.Namespace, opened.document.Origin)
	if opened.document.Discovery != nil {
		i.noteGuesses(opened.document.Discovery.Guesses)
	}
	if len(opened.undeclared) > 0 {
		var what []string
		for _, missing := range opened.undeclared {
			what = append(what, missing.What)
		}
		i.note("not declared: %s", strings.Join(what, ", "))
	}
}

// noteGuesses lists what discovery could not know.
func (i *invocation) noteGuesses(guesses []release.Guess) {
	for _, guess := range guesses {
		i.note("guessed: %s: %v (%s)", guess.Field, guess.Value, guess.Why)
	}
}

// conclude prints the outcome of a run: its one sentence, or its RunStatus.
func (i *invocation) conclude(output *output, opened *work, outcome rollout.Outcome) error {
	status := outcome.Status
	if status == nil {
		status = &rollout.RunStatus{Release: opened.document.Release.Metadata.Name, Namespace: opened.namespace(), Reason: outcome.Message}
	}
	i.environment.Observer.stood(Standing{Status: status, Message: i.pasteable(outcome.Message), Next: i.pasteable(outcome.Next), Open: outcome.HandedOver})
	err := output.print(i.streams, runObject(status), func() error {
		mark := i.streams.out.bad()
		if outcome.Code == ExitDone {
			mark = i.streams.out.good()
		}
		_, err := fmt.Fprintf(i.streams.Out, "%s %s\n", mark, plain(i.pasteable(outcome.Message)))
		return err
	})
	i.printNext(outcome.Next)
	return err
}

// runObject names a run for the printers.
func runObject(status *rollout.RunStatus) object {
	called := status.ID
	if called == "" {
		called = status.Release
	}
	return object{Kind: "RunStatus", Name: called, Namespace: status.Namespace, Value: status}
}

// elapsed is a duration as a table shows it.
func elapsed(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "-"
	}
	return to.Sub(from).Round(time.Second).String()
}
