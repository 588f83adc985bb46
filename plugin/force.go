package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
)

// readyEndpoints is the name by which a forced rollback overrules its last
// question: whether the side to go back to has a ready pod.
const readyEndpoints = "ready-endpoints"

// force is the flag --force, which may name what it overrules.
type force struct {
	// on waits for nobody.
	on bool
	// unready goes even where no pod is ready.
	unready bool
}

func (f *force) addFlag(command *cobra.Command) {
	command.Flags().Var(f, "force", "wait for nobody; --force="+readyEndpoints+" goes even where no pod of the side to go back to is ready")
	command.Flags().Lookup("force").NoOptDefVal = "true"
}

// Set takes what stands behind --force=, "true" where nothing does.
func (f *force) Set(text string) error {
	switch text {
	case "true":
		*f = force{on: true}
	case "false":
		*f = force{}
	case readyEndpoints:
		*f = force{on: true, unready: true}
	default:
		return fmt.Errorf("expected --force, or --force=%s to go even where no pod is ready", readyEndpoints)
	}
	return nil
}

func (f *force) String() string {
	if f.unready {
		return readyEndpoints
	}
	return fmt.Sprint(f.on)
}

// Type makes the help show a flag that needs no value.
func (f *force) Type() string { return "bool" }
