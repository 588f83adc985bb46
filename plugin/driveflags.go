package plugin

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// driveFlags are those of every command that drives a run.
type driveFlags struct {
	output output
	lease  leaseFlag
}

func (f *driveFlags) addFlags(command *cobra.Command) {
	f.output.addFlag(command)
	f.lease.addFlag(command)
}

func (f *driveFlags) validate() error {
	if err := f.output.validate(); err != nil {
		return err
	}
	return f.lease.validate()
}

// The bounds of --lease-duration. A lease is renewed every third of its
// duration: one shorter than the least would be lost to a single slow answer
// of the API server. One longer than the longest would keep everybody but a
// forced rollback from a run whose process was killed.
const (
	leastLease   = 2 * time.Second
	longestLease = time.Hour
)

// leaseFlag says how long the process may be silent before others may take
// its run over.
type leaseFlag struct {
	duration time.Duration
}

func (f *leaseFlag) addFlag(command *cobra.Command) {
	command.Flags().DurationVar(&f.duration, "lease-duration", journal.DefaultLeaseDuration,
		"how long this process may be silent before another one may take the run over; a killed one is waited for that long")
}

// validate refuses a duration that no lease can have.
func (f *leaseFlag) validate() error {
	if f.duration >= leastLease && f.duration <= longestLease {
		return nil
	}
	return release.WithHint(fmt.Errorf("a lease of %s makes no sense (--lease-duration)", f.duration),
		fmt.Sprintf("from %s to %s; without the flag it is %s", leastLease, longestLease, journal.DefaultLeaseDuration))
}
