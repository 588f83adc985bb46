package plugin

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version says which build of the program this is.
type Version struct {
	// Version is the module's version, (devel) when it was built by hand.
	Version string `json:"version"`
	// Commit is the revision that was built, "" when the build did not
	// record it.
	Commit string `json:"commit,omitempty"`
	// Modified: the tree held changes that were not committed.
	Modified  bool   `json:"modified,omitempty"`
	GoVersion string `json:"goVersion"`
	// Platform is the operating system and the architecture, such as
	// linux/amd64.
	Platform string `json:"platform"`
}

// BuildVersion reads what the Go toolchain stamped on the binary: the tag
// where it was built from one.
func BuildVersion() Version {
	found := Version{Version: "(devel)", GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	if info.Main.Version != "" {
		found.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			found.Commit = setting.Value
		case "vcs.modified":
			found.Modified = setting.Value == "true"
		}
	}
	return found
}

// version is this program's: what the release that it is of is called, else what
// is stamped on it.
func (i *invocation) version() Version {
	found := BuildVersion()
	found.Version = cmp.Or(i.environment.Version, found.Version)
	return found
}

func newVersion(call *invocation) *cobra.Command {
	output := output{}
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  atMost(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			version := call.version()
			return output.print(call.streams, object{Kind: "Version", Name: "kubectl-bluegreen", Value: version}, func() error {
				fmt.Fprintf(call.streams.Out, "kubectl bluegreen %s (%s, %s)\n", version.Version, version.GoVersion, version.Platform)
				return nil
			})
		},
	}
	output.addFlag(command)
	command.Flags().Bool("client", true, "accepted as kubectl version takes it; this command never asks a server")
	return command
}
