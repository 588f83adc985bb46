package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/filelock"
)

// Packages lists the Debian packages that every lab and test needs.
func Packages() []string {
	return []string{
		// The cluster's own.
		"runc", "containernetworking-plugins", "conntrack", "nftables", "iptables", "iproute2", "util-linux",
		// What runs beside it.
		"prometheus", "prometheus-alertmanager", "prometheus-postgres-exporter", "postgresql", "pgbouncer",
		// What tests run.
		"git", "nodejs",
	}
}

// Install makes sure that the Debian packages are there, and the others that
// are named, without starting the daemons they bring: neither now nor with the
// machine.
func Install(ctx context.Context, out io.Writer, others ...string) error {
	if err := supported(); err != nil {
		return err
	}
	packages := append(Packages(), others...)
	missing, err := absentNow(ctx, packages)
	if err != nil || len(missing) == 0 && !policyLeftOver(policy) {
		return err
	}
	cache, err := Cache()
	if err != nil {
		return err
	}
	release, err := filelock.Take(ctx, filepath.Join(cache, "install.lock"), waiting(out))
	if err != nil {
		return err
	}
	defer release()
	// The lock is held, so what forbids daemons, and is ours, is a leftover.
	if err := removeLeftOver(policy); err != nil {
		return err
	}
	// Another one may just have done it.
	if missing, err = absentNow(ctx, packages); err != nil || len(missing) == 0 {
		return err
	}
	return install(ctx, missing, out)
}

// install installs packages and keeps their daemons from starting.
func install(ctx context.Context, missing []string, out io.Writer) error {
	// Without knowing them, nothing could be told from what was there before.
	known, err := units(ctx)
	if err != nil {
		return err
	}
	allow, err := forbidDaemons(policy)
	if err != nil {
		return err
	}
	defer allow()
	fmt.Fprintf(out, "installing %s\n", strings.Join(missing, ", "))
	if err := aptInstall(ctx, missing); err != nil {
		// Most often the lists of what there is are old or not there at all.
		fmt.Fprintln(out, "bringing the package lists up to date")
		if err := apt(ctx, "update"); err != nil {
			return err
		}
		if err := aptInstall(ctx, missing); err != nil {
			return err
		}
	}
	return disable(ctx, out, known)
}

// absentNow returns those of the packages that are not installed.
func absentNow(ctx context.Context, packages []string) ([]string, error) {
	args := append([]string{"-W", "-f", "${Package} ${Status}\n"}, packages...)
	output, err := exec.CommandContext(ctx, "dpkg-query", args...).Output()
	// Its exit status is 1 when it doesn't know one of them.
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("list installed packages: %w", err)
	}
	return absent(packages, string(output)), nil
}

// absent returns those of the packages that the listing doesn't call installed.
func absent(packages []string, listing string) []string {
	installed := map[string]bool{}
	for line := range strings.Lines(listing) {
		name, status, _ := strings.Cut(strings.TrimSpace(line), " ")
		if status == "install ok installed" || status == "hold ok installed" {
			installed[name] = true
		}
	}
	var missing []string
	for _, name := range packages {
		if !installed[name] {
			missing = append(missing, name)
		}
	}
	return missing
}

// aptInstall installs packages and nothing that they merely recommend.
func aptInstall(ctx context.Context, packages []string) error {
	return apt(ctx, append([]string{"install", "-y", "--no-install-recommends"}, packages...)...)
}

// apt runs apt-get without questions.
func apt(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "Acquire::Retries=3"}, args...)...)
	command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run apt-get %s: %w\n%s", strings.Join(args, " "), err, tail(string(output), 20))
	}
	return nil
}

// tail returns the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
