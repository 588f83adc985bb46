package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// systemPath is where Debian's programs are, kubelet's and containerd's
// helpers among them.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// hold makes the private mount namespace and a process that keeps it. The
// paths that programs insist on become folders of the lab's own there.
func (l *Lab) hold(ctx context.Context) error {
	if err := withMountPoints(ctx, mountPoints.make); err != nil {
		return err
	}
	ready := l.layout.file("private", "ready")
	script := []string{"set -e"}
	for _, target := range append(insisted(), "/var/log") {
		source := l.layout.file("private", target)
		if err := os.MkdirAll(source, 0o755); err != nil {
			return fmt.Errorf("make private folders: %w", err)
		}
		script = append(script, fmt.Sprintf("mount --bind %s %s", source, target))
	}
	script = append(script,
		// Names are those that a pod of the namespace default knows.
		fmt.Sprintf("mount --bind %s /etc/resolv.conf", l.layout.file("node-resolv.conf")),
		": > "+ready, "exec sleep infinity")
	// The lab outlives what brings it up.
	command := exec.CommandContext(context.WithoutCancel(ctx), "nsenter", "--net="+l.layout.namespace().Path(), "--",
		"unshare", "--mount", "--propagation", "slave", "--", "sh", "-c", strings.Join(script, "\n"))
	holder, err := l.spawn(command, l.layout.file("logs", "holder.log"))
	if err != nil {
		return err
	}
	if err := l.record.update(func(r *record) { r.Holder = holder }); err != nil {
		return err
	}
	return await(ctx, 10*time.Second, "the private mounts", func(context.Context) (bool, error) {
		if !holder.Alive() {
			return false, fmt.Errorf("make private mounts: %s", lastLines(l.layout.file("logs", "holder.log")))
		}
		_, err := os.Stat(ready)
		return err == nil, nil
	})
}

// launch starts a component with the arguments that are on record for it. It
// runs until the lab is taken down: no context ends it.
func (l *Lab) launch(component Component) error {
	known, err := l.record.read()
	if err != nil {
		return err
	}
	arguments, ok := known.Arguments[component]
	if !ok {
		return fmt.Errorf("start %s: lab %s has no such component", component, l.Name())
	}
	namespaces := []string{"--net=" + l.layout.namespace().Path()}
	if component.private() {
		namespaces = append(namespaces, fmt.Sprintf("--mount=/proc/%d/ns/mnt", known.Holder.PID))
	}
	binary := l.layout.file("bin", string(component))
	command := exec.CommandContext(context.Background(), "nsenter", append(append(namespaces, "--", binary), arguments...)...)
	started, err := l.spawn(command, l.layout.log(component))
	if err != nil {
		return err
	}
	return l.record.update(func(r *record) { r.Processes[component] = started })
}

// spawn starts a process of the lab with its output in a log.
func (l *Lab) spawn(command *exec.Cmd, log string) (process.Record, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return process.Record{}, fmt.Errorf("start %s: %w", command.Path, err)
	}
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return process.Record{}, fmt.Errorf("start %s: %w", command.Path, err)
	}
	defer func() { _ = output.Close() }()
	command.Stdout, command.Stderr = output, output
	command.Dir = l.layout.folder()
	command.Env = []string{"PATH=" + l.layout.file("bin") + ":" + systemPath, "HOME=/root", "TMPDIR=/tmp"}
	return process.Start(command)
}

// awaitComponent waits until a component answers, with patience. It ends at once, with the
// end of its log, when the process has ended.
func (l *Lab) awaitComponent(ctx context.Context, component Component, answers func(context.Context) bool) error {
	err := await(ctx, patience, string(component), func(ctx context.Context) (bool, error) {
		known, err := l.record.read()
		if err != nil {
			return false, err
		}
		if !known.Processes[component].Alive() {
			return false, fmt.Errorf("%s has ended", component)
		}
		return answers(ctx), nil
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\nthe end of its log:\n%s", err, lastLines(l.layout.log(component)))
	}
	return err
}

// await polls until done says so, at most for limit.
func await(ctx context.Context, limit time.Duration, what string, done wait.ConditionWithContextFunc) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, limit, true, done)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
	}
	if wait.Interrupted(err) {
		return fmt.Errorf("wait for %s: not there after %s", what, limit)
	}
	if err != nil {
		return fmt.Errorf("wait for %s: %w", what, err)
	}
	return nil
}

// lastLines returns the end of a log file.
func lastLines(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
