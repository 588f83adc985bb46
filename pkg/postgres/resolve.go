package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// dialDeadline bounds the attempt that tells whether the database can be
// dialled from here; a database that needs longer is reached another way.
const dialDeadline = 2 * time.Second

// ResolveInput is what Resolve needs.
type ResolveInput struct {
	Database  release.Database
	Namespace string
	// Prometheus: the Release declares one.
	Prometheus bool
	Kubernetes kubernetes.Interface
	// Getenv reads the environment of the process that runs the tool.
	Getenv func(string) string
	// DialPod opens a connection to a port of a pod; nil when pods can't
	// be reached.
	DialPod func(ctx context.Context, namespace, pod string, port int) (net.Conn, error)
}

// Resolve finds the connection string and decides how the database is
// observed. Auto takes what works, in this order: directly, when the host can
// be dialled within two seconds; through a pod, when one can be named; the
// exporter or Prometheus, when declared.
func Resolve(ctx context.Context, input ResolveInput) (Target, error) {
	name, observe := input.Database.Name, input.Database.Observe
	via := observe.Via
	if via == "" {
		via = release.ViaAuto
	}
	switch via {
	case release.ViaExporter, release.ViaPrometheus:
		return Sessionless(name, via, "the Release says so"), nil
	case release.ViaAuto, release.ViaDirect, release.ViaPortForward:
	default:
		return Target{}, fmt.Errorf("resolve database %s: via %q is not auto, direct, portForward, exporter or prometheus", name, via)
	}
	dsn, err := connectionString(ctx, input)
	if err != nil {
		if target, declared := sessionless(input); declared && via == release.ViaAuto {
			target.Why += " and there is no connection string: " + err.Error()
			return target, nil
		}
		return Target{}, fmt.Errorf("resolve database %s: %w", name, err)
	}
	switch via {
	case release.ViaDirect:
		return NewTarget(name, dsn, via, nil)
	case release.ViaPortForward:
		return throughPod(ctx, input, dsn)
	default:
		return resolveAuto(ctx, input, dsn)
	}
}

func resolveAuto(ctx context.Context, input ResolveInput, dsn string) (Target, error) {
	name := input.Database.Name
	direct, err := NewTarget(name, dsn, release.ViaDirect, nil)
	if err != nil {
		return Target{}, err
	}
	unreachable := direct.dial(ctx)
	if unreachable == nil {
		direct.Why = "its host can be dialled from here"
		return direct, nil
	}
	forwarded, err := throughPod(ctx, input, dsn)
	if err == nil {
		forwarded.Why = "its host can't be dialled from here, a pod that answers for it can; " + forwarded.Why
		return forwarded, nil
	}
	if target, declared := sessionless(input); declared {
		target.Why += fmt.Sprintf(" and there is no session: %s; %s", unreachable, err)
		return target, nil
	}
	return Target{}, fmt.Errorf("reach database %s: directly: %w; through a pod: %w", name, unreachable, err)
}

func sessionless(input ResolveInput) (Target, bool) {
	switch {
	case input.Database.Observe.Exporter != "":
		return Sessionless(input.Database.Name, release.ViaExporter, "an exporter is declared"), true
	case input.Prometheus:
		return Sessionless(input.Database.Name, release.ViaPrometheus, "Prometheus is declared"), true
	default:
		return Target{}, false
	}
}

// dial opens and closes a network connection, without a session.
func (t Target) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialDeadline)
	defer cancel()
	network, address := pgconn.NetworkAddress(t.config.Host, t.config.Port)
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return publicError(err, t.secrets()...)
	}
	return conn.Close()
}

// connectionString reads the observer's own connection string from where the
// Release names it. No error holds it.
func connectionString(ctx context.Context, input ResolveInput) (string, error) {
	source := input.Database.Observe.DSN
	if source.IsZero() {
		return "", errors.New("no connection string is declared: set observe.dsn.secretKeyRef or observe.dsn.env")
	}
	return cluster.SecretValue(ctx, input.Kubernetes, input.Namespace, source, input.Getenv)
}
