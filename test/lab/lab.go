package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/filelock"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// Options says what lab to start.
type Options struct {
	// Name tells labs apart: up to 20 lower-case letters, digits and dashes.
	// Empty means [DefaultName].
	Name string
	// Out is told what happens, a line per step. Nil means nobody.
	Out io.Writer
	// With lists what runs beside the cluster. Nil means [Standard], an empty
	// list nothing.
	With []Addon
	// Audit makes the API server write to [Lab.AuditLog] what is asked of it:
	// the writes of service accounts whole, of all else who asked what, and
	// nothing of the cluster's own programs nor of what its administrator reads.
	Audit bool
	// Owned makes the lab a leftover once this process has ended: the next
	// [Start] of any lab, or [Sweep], takes it down.
	Owned bool
}

// Lab is a cluster that is up.
type Lab struct {
	layout layout
	record *recordFile
	config *rest.Config
}

// ErrNotUp says that there is no such lab.
var ErrNotUp = errors.New("no such lab is up")

// Start brings a lab up, installing and building first what this machine
// lacks. A healthy lab of that name is taken as it is; what is left of a
// broken one is cleared away first. When it fails, nothing is left.
func Start(ctx context.Context, options Options) (*Lab, error) {
	if options.Name == "" {
		options.Name = DefaultName
	}
	if options.Out == nil {
		options.Out = io.Discard
	}
	if options.With == nil {
		options.With = Standard()
	}
	where, err := newLayout(options.Name)
	if err != nil {
		return nil, err
	}
	programs, err := setup(ctx, options.Out, options.With)
	if err != nil {
		return nil, err
	}
	if err := Sweep(ctx); err != nil {
		return nil, err
	}
	release, err := where.lock(ctx, options.Out)
	if err != nil {
		return nil, err
	}
	defer release()
	lab := open(where)
	known, err := lab.record.read()
	if err != nil || !known.healthy() {
		if err := lab.freshStart(ctx, options, programs); err != nil {
			return nil, err
		}
	}
	if err := lab.connect(); err != nil {
		return nil, err
	}
	if err := link(programs, lab.Path()); err != nil {
		return nil, err
	}
	err = lab.addMissing(ctx, options)
	return lab, err
}

// freshStart clears leftovers away and brings the cluster up. A lab that fails
// to come up is taken down again.
func (l *Lab) freshStart(ctx context.Context, options Options, programs map[string]string) error {
	if l.layout.exists() {
		fmt.Fprintf(options.Out, "clearing away what is left of lab %s\n", l.Name())
		if err := l.takeDown(ctx); err != nil {
			return err
		}
	}
	err := l.bringUp(ctx, options, programs)
	if err == nil {
		return nil
	}
	// Taking it down must work even if it failed because ctx ended.
	return errors.Join(err, l.takeDown(context.WithoutCancel(ctx)))
}

// Attach returns the lab of that name, which must be up.
func Attach(name string) (*Lab, error) {
	where, err := newLayout(name)
	if err != nil {
		return nil, err
	}
	lab := open(where)
	known, err := lab.record.read()
	if err != nil {
		return nil, err
	}
	if !known.Ready || !known.Holder.Alive() {
		return nil, fmt.Errorf("attach to lab %s: %w: start it with `lab up --name %s`", name, ErrNotUp, name)
	}
	err = lab.connect()
	return lab, err
}

// Remove takes down the lab of that name, whatever state it is in. It is no
// error if there is none.
func Remove(ctx context.Context, name string) error {
	where, err := newLayout(name)
	if err != nil {
		return err
	}
	release, err := where.lock(ctx, io.Discard)
	if err != nil {
		return err
	}
	defer release()
	return open(where).takeDown(ctx)
}

// Sweep takes down every lab whose owner has ended without doing so.
func Sweep(ctx context.Context) error {
	names, err := Names()
	if err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		where, err := newLayout(name)
		if err != nil {
			continue
		}
		known, err := open(where).record.read()
		if err == nil && known.abandoned() {
			failed = errors.Join(failed, Remove(ctx, name))
		}
	}
	return failed
}

// open makes a Lab of what is on disk, without looking whether it is up.
func open(where layout) *Lab {
	return &Lab{layout: where, record: &recordFile{path: where.file("lab.json")}}
}

// lock waits for others who start or stop the lab.
func (l layout) lock(ctx context.Context, out io.Writer) (release func(), err error) {
	path, err := l.lockFile()
	if err != nil {
		return nil, err
	}
	return filelock.Take(ctx, path, func() {
		fmt.Fprintf(out, "waiting for another one that starts or stops lab %s\n", l.name)
	})
}

// Stop takes the lab down and leaves no process, mount, link, namespace or
// cgroup of it.
func (l *Lab) Stop(ctx context.Context) error { return Remove(ctx, l.Name()) }

// Name is the lab's name.
func (l *Lab) Name() string { return l.layout.name }

// Kubeconfig is the path of the administrator's kubeconfig. Its server can be
// reached inside the lab only; see [Lab.Command].
func (l *Lab) Kubeconfig() string { return l.layout.file("kubeconfig") }

// AuditLog is the path of the API server's audit log, a JSON event a line. It
// is there if the lab was started with [Options.Audit].
func (l *Lab) AuditLog() string { return l.layout.file("logs", "audit.log") }

// Log is the path of a component's log.
func (l *Lab) Log(component Component) string { return l.layout.log(component) }

// Folder is a folder for files that shall go when the lab does.
func (l *Lab) Folder() string { return l.layout.folder() }

// RESTConfig is the administrator's access to the API server. It works from
// inside and from outside the lab's network namespace.
func (l *Lab) RESTConfig() *rest.Config { return rest.CopyConfig(l.config) }

// connect reads the administrator's kubeconfig.
func (l *Lab) connect() error {
	config, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	config.QPS = -1
	config.Dial = l.layout.namespace().DialContext
	l.config = config
	return nil
}

// owner is this process, if the lab shall not outlive it.
func (o Options) owner() (*process.Record, error) {
	if !o.Owned {
		return nil, nil
	}
	self, err := process.Find(os.Getpid())
	return &self, err
}

// DialContext connects from inside the lab, wherever the caller is. The
// address must be an IP address and a port.
func (l *Lab) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return l.layout.namespace().DialContext(ctx, network, address)
}
