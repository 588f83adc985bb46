package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/filelock"
)

// Packages lists the Debian packages a lab needs: the first group always, the
// others for what runs beside the cluster.
func Packages() []string {
	return []string{
		"runc", "containernetworking-plugins", "conntrack", "nftables", "iptables", "iproute2", "util-linux",
		"prometheus", "prometheus-alertmanager", "prometheus-postgres-exporter",
		"postgresql", "pgbouncer",
	}
}

// policy is what Debian's package scripts ask before they start a daemon;
// exit status 101 forbids it.
const policy = "/usr/sbin/policy-rc.d"

// Install makes sure that the Debian packages are there, without starting the
// daemons they bring.
func Install(ctx context.Context, out io.Writer) error {
	if err := supported(); err != nil {
		return err
	}
	missing, err := absentNow(ctx)
	if err != nil || len(missing) == 0 {
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
	// Another one may just have done it.
	if missing, err = absentNow(ctx); err != nil || len(missing) == 0 {
		return err
	}
	fmt.Fprintf(out, "installing %s\n", strings.Join(missing, ", "))
	allow, err := forbidDaemons()
	if err != nil {
		return err
	}
	defer allow()
	if err := aptInstall(ctx, missing); err == nil {
		return nil
	}
	// Most often the lists of what there is are old or not there at all.
	fmt.Fprintln(out, "bringing the package lists up to date")
	if err := apt(ctx, "update"); err != nil {
		return err
	}
	return aptInstall(ctx, missing)
}

// supported says in one sentence why this machine can't run a lab.
func supported() error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("a lab needs Debian or Ubuntu with apt-get: use such a machine, or `make demo CLUSTER=current` for a cluster that you have")
	}
	if os.Geteuid() != 0 {
		return errors.New("a lab needs root for its namespaces and containers: run it with sudo, or use `make demo CLUSTER=current` for a cluster that you have")
	}
	return nil
}

// absentNow returns those of the packages that are not installed.
func absentNow(ctx context.Context) ([]string, error) {
	args := append([]string{"-W", "-f", "${Package} ${Status}\n"}, Packages()...)
	output, err := exec.CommandContext(ctx, "dpkg-query", args...).Output()
	// Its exit status is 1 when it doesn't know one of them.
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("list installed packages: %w", err)
	}
	return absent(Packages(), string(output)), nil
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

// forbidDaemons keeps package scripts from starting daemons until allow is
// called. A policy that is there already stays in charge.
func forbidDaemons() (allow func(), err error) {
	file, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("forbid daemons to start: %w", err)
	}
	_, err = file.WriteString("#!/bin/sh\nexit 101\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("forbid daemons to start: %w", err), os.Remove(policy))
	}
	return func() { _ = os.Remove(policy) }, nil
}

// aptInstall installs packages and nothing that they merely recommend.
func aptInstall(ctx context.Context, packages []string) error {
	return apt(ctx, append([]string{"install", "-y", "--no-install-recommends"}, packages...)...)
}

// apt runs apt-get without questions.
func apt(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, "apt-get", args...)
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
