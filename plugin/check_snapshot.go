package plugin

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight/custom"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// saveFacts keeps facts in a file that only its owner may read: there is no
// secret in it, but much about a cluster.
func (i *invocation) saveFacts(path string, facts *preflight.Facts) error {
	if err := writeAtomically(path, 0o600, func(file io.Writer) error { return preflight.Save(file, facts) }); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	i.note("kept in %s: judge it again with %s check --from %s", path, name, path)
	return nil
}

// checkSaved judges facts that --save kept. Everything that they were collected
// by is in them, so nothing else may be said.
func (i *invocation) checkSaved(cmd *cobra.Command, flags *checkFlags, args []string) error {
	if err := flags.output.validate(); err != nil {
		return err
	}
	for _, flag := range []string{"save", "stage", "to", "file"} {
		if cmd.Flags().Changed(flag) {
			return usageError(cmd, "--"+flag+" doesn't go with --from: the facts were collected by theirs")
		}
	}
	if len(args) > 0 {
		return usageError(cmd, args[0]+" doesn't go with --from: the facts are about one release")
	}
	if err := i.snapshotWithinCheckout(flags.from); err != nil {
		return err
	}
	file, err := os.Open(flags.from)
	if err != nil {
		return release.WithHint(fmt.Errorf("read snapshot: %w", err), "write one with: "+name+" check --save FILE")
	}
	defer file.Close()
	facts, err := preflight.Load(file)
	if err != nil {
		return err
	}
	compiled, err := custom.Compile(facts.Custom, facts.Release)
	if err != nil {
		return err
	}
	own := &ownChecks{declared: facts.Custom, compiled: compiled}
	i.note("judging what was seen at %s", facts.Time.Format("2006-01-02 15:04:05 MST"))
	return i.printReport(&flags.output, preflight.Evaluate(facts, own.all(), facts.Stage), own)
}
