package action

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sethvargo/go-githubactions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// Environment is what the engine knows of the process that runs it.
type Environment struct {
	// Plugin is what the commands know of it.
	Plugin plugin.Environment
	// Variables are those of the process, NAME=VALUE each, in which secrets are
	// looked for.
	Variables []string
	// Log is the log of the step, which the runner reads. Complaints is where the
	// part token says what is wrong: client-go reads what it writes to Log.
	Log, Complaints io.Writer
	// Command runs a command line of the plugin; nil is plugin.Run.
	Command func(context.Context, plugin.Environment, plugin.Streams, []string) int
	// Transport makes requests to GitHub; nil is that of package http.
	Transport http.RoundTripper
}

// The two parts of the Action that the engine is started for.
const (
	partMain = "main"
	partPost = "post"
	// partToken is what a kubeconfig may name to log in with: token AUDIENCE.
	partToken = "token"
)

// Run carries out one part of the Action, main or post, or gets a token, and returns the exit code
// of the process. It never exits, never panics, and stops soon after ctx does.
func Run(ctx context.Context, environment Environment, args []string) int {
	if environment.Command == nil {
		environment.Command = plugin.Run
	}
	if environment.Plugin.Clock == nil {
		environment.Plugin.Clock = clock.RealClock{}
	}
	if len(args) == 2 && args[0] == partToken {
		return token(ctx, environment, args[1])
	}
	switch strings.Join(args, " ") {
	case partMain:
		return newStep(environment).main(ctx)
	case partPost:
		return newStep(environment).post(ctx)
	}
	fmt.Fprintln(environment.Log, "error: expected main, post, or token and an audience\nhint: this program is started by the Action; for a shell there is kubectl bluegreen")
	return plugin.ExitFailed
}

// step is one step of a job.
type step struct {
	environment Environment
	clock       clock.WithTicker
	actions     *githubactions.Action
	log         *log
	masks       *masks
	around      surroundings
	in          inputs
	mistakes    []mistake
	// github is nil without a token or a repository.
	github *client
	// folder is where the step leaves files, "" for nowhere.
	folder string
	// annotated counts the annotations that were told.
	annotated map[level]int
	// deployment is the one that was made while the run began, nil for none.
	deployment *pendingDeployment
}

// newStep reads everything that the runner has said. Secrets are masked first.
func newStep(environment Environment) *step {
	getenv := func(name string) string {
		value, _ := environment.Plugin.LookupEnv(name)
		return value
	}
	s := &step{environment: environment, clock: environment.Plugin.Clock, annotated: map[level]int{}}
	s.around = surroundingsOf(getenv)
	s.masks = &masks{replacer: strings.NewReplacer()}
	s.log = &log{out: environment.Log, masks: s.masks}
	s.actions = githubactions.New(githubactions.WithWriter(s.log.commands()), githubactions.WithGetenv(getenv))
	s.in, s.mistakes = readInputs(s.actions.GetInput, s.around.event)
	*s.masks = *masksOf(environment.Variables, append(s.in.args, s.actions.GetInput("args")))
	if s.around.runner { // else it would be shown to whoever looks on
		for _, value := range s.masks.values {
			s.actions.AddMask(value)
		}
	}
	if s.in.token != "" && s.around.repository != "" && s.around.api != "" {
		s.github = &client{base: s.around.api, token: s.in.token, repository: s.around.repository, transport: environment.Transport, clock: s.clock}
	}
	return s
}

// notice tells of what is done without.
func (s *step) notice(format string, values ...any) {
	s.tell(annotation{level: notice, title: "bluegreen", message: fmt.Sprintf(format, values...)})
}

// refuse tells every mistake in the inputs, everywhere where a command tells how it
// came out: else the comment of an earlier check would go on to say that nothing
// blocks.
func (s *step) refuse(ctx context.Context) int {
	seen := observed{failure: mistakesError(s.mistakes)}
	s.output(outputsOf(plugin.ExitFailed, seen, s.folder, 0, s.in.command.name))
	s.conclude(ctx, seen, plugin.ExitFailed)
	return plugin.ExitFailed
}

// perform runs one command line of the plugin. Its text goes to out, and what it
// comes to is returned; began is called once its run has an id.
func (s *step) perform(ctx context.Context, line []string, out func() io.WriteCloser, began func(observed)) (observed, int) {
	stdout, stderr := out(), out()
	defer stdout.Close()
	defer stderr.Close()
	seen := observed{}
	environment := s.environment.Plugin
	environment.Unattended, environment.Artefacts, environment.Trigger = true, s.folder, s.around.link()
	environment.Observer = seen.observer(func() { began(seen) })
	environment.LookupEnv = func(name string) (string, bool) {
		value, found := s.environment.Plugin.LookupEnv(name)
		if name == "LANG" && value == "" {
			return "C.UTF-8", true // what shows the log knows more than ASCII
		}
		return value, found
	}
	streams := plugin.Streams{IOStreams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: stdout, ErrOut: stderr}}
	code := s.environment.Command(ctx, environment, streams, line)
	return seen, code
}

// output writes outputs of the step. Without a file for them a workflow that goes
// on by one would go astray, so that is said.
func (s *step) output(outputs map[string]string) {
	var failure error
	for _, name := range []string{"verdict", "report", "run-id", "failed-checks", "durations"} {
		if value, set := outputs[name]; set && failure == nil {
			failure = fileCommand(s.around.output, name, value, delimiter)
		}
	}
	if failure != nil {
		s.notice("the outputs can't be written (GITHUB_OUTPUT): %v", failure)
	}
}

// remember leaves something to post, and reports whether it could.
func (s *step) remember(name, value string) bool {
	return fileCommand(s.around.state, name, value, delimiter) == nil
}

// Bounds of what is told to GitHub after a command: while nobody is in a hurry,
// and after a signal, of which the runner follows up within 7.5 s.
const (
	tellingTime = 30 * time.Second
	hurryTime   = 3 * time.Second
)

// telling is the time for telling how a command came out.
func telling(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := tellingTime
	if ctx.Err() != nil {
		limit = hurryTime
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
