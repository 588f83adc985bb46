package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// setUpTimeout bounds the first look at what the sources are made from.
const setUpTimeout = 10 * time.Second

// Undeclared is something that a release could declare and doesn't: one line
// in a report, and never an error.
type Undeclared struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// String is "not declared: WHAT (WHY)".
func (u Undeclared) String() string { return fmt.Sprintf("not declared: %s (%s)", u.What, u.Why) }

// NewSources sets up the sources that a release declares, in the order in
// which they are asked, and says what it doesn't declare. Sources that hold a
// session implement io.Closer.
//
// It looks at the pods of both colours once, to see whether they serve
// metrics at all, and opens the sessions with the databases. What can't be
// reached now is no error: it is a source that is down, and may be back.
func NewSources(ctx context.Context, client *cluster.Client, rel *release.Release, clock clock.Clock) ([]Source, []Undeclared, error) {
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	names, err := dialectOf(rel.Spec.Metrics.Provider)
	if err != nil {
		return nil, nil, err
	}
	setUp := &setUp{client: client, rel: rel, clock: clock, names: names, colors: newColors(client, rel)}
	for _, step := range []func(context.Context) error{setUp.addPrometheus, setUp.addPods, setUp.addAlertmanager, setUp.addDatabases} {
		if err := step(ctx); err != nil {
			return nil, nil, err
		}
	}
	setUp.sources = append(setUp.sources, newKubernetesSource(setUp.colors, clock))
	// The sum is asked first: to the others no colour means any colour.
	whole := &total{sources: setUp.sources, colors: rel.Spec.ColorNames()}
	first := []Source{whole}
	if setUp.server != nil {
		first = append(first, freshest{pods: setUp.pods, server: setUp.server})
	}
	return append(first, setUp.sources...), setUp.undeclared, nil
}

// setUp collects sources while they are made.
type setUp struct {
	client *cluster.Client
	rel    *release.Release
	clock  clock.Clock
	names  dialect
	colors *colors

	server     *Prometheus
	pods       *Pods
	sources    []Source
	undeclared []Undeclared
}

func (s *setUp) lacks(what, why string) {
	s.undeclared = append(s.undeclared, Undeclared{What: what, Why: why})
}

// transport reaches what the address of a source says.
func (s *setUp) transport(address string) (name, base string, transport http.RoundTripper, err error) {
	return connect(s.client, address)
}

// connect goes to NAMESPACE/SERVICE:PORT through the API server, or to a URL as
// it is. The name holds no password.
func connect(client *cluster.Client, address string) (name, base string, transport http.RoundTripper, err error) {
	if !strings.Contains(address, "://") {
		service, err := release.ParseServiceAddress(address)
		if err != nil {
			return "", "", nil, err
		}
		return service.String(), "http://" + service.Service, client.ServiceTransport(service.Namespace, service.Service, service.Port), nil
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return "", "", nil, errors.New("the address is not a URL")
	}
	return parsed.Host, address, http.DefaultTransport, nil
}

func (s *setUp) addPrometheus(context.Context) error {
	declared := s.rel.Spec.Metrics.Prometheus
	if declared == nil {
		s.lacks("prometheus", "the pods' own metrics are read instead")
		return nil
	}
	name, base, transport, err := s.transport(declared.URL + declared.Service)
	if err != nil {
		return fmt.Errorf("read metrics.prometheus: %w", err)
	}
	s.server, err = newPrometheus("prometheus "+name, base, transport, s.names, s.colors, s.rel.Spec.Metrics.VersionLabel, s.clock)
	if err != nil {
		return err
	}
	s.sources = append(s.sources, s.server)
	return nil
}

func (s *setUp) addPods(ctx context.Context) error {
	metrics := s.rel.Spec.Metrics
	source := &Pods{scraper: newScraper(s.colors, s.client, s.colors.namespace, metrics, s.names, s.rel.Spec.Gates.Interval.Std(), s.clock)}
	var why string
	source.served, why = source.discover(ctx, s.rel.Spec.ColorNames(), metrics)
	if !source.served {
		s.lacks("metrics of the pods", why)
	}
	s.pods = source
	s.sources = append(s.sources, source)
	return nil
}

// discover looks at the pods of both colours once. That there are no metrics
// must be certain: whatever can't be asked now is taken to serve them, for a
// gate that waits for them is safe and one that doesn't is not.
func (p *Pods) discover(ctx context.Context, colors []string, metrics release.Metrics) (served bool, why string) {
	if metrics.Path != "" || metrics.Port != 0 {
		served = true
	}
	why = "no pod of " + strings.Join(colors, " or ") + " runs and serves " + pathOf(metrics)
	for _, color := range colors {
		scrapes, done, err := p.scraper.look(ctx, color)
		if err != nil {
			return true, ""
		}
		round := scrapes.round
		done()
		switch {
		case len(round.read) > 0, round.declared:
			served = true
		case round.err != nil && round.pods > 0 && !isPodFault(round.err):
			served = true
		case round.err != nil && round.pods > 0:
			why = round.err.Error()
		}
	}
	return served, why
}

// isPodFault reports whether the API server says that it asked the pod and
// the pod made no sense, as one does that doesn't speak HTTP on that port.
func isPodFault(err error) bool {
	return apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.ReasonForError(err) == "" && isStatus(err, http.StatusBadGateway)
}

func isStatus(err error, code int32) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Code == code
}

func (s *setUp) addAlertmanager(context.Context) error {
	declared := s.rel.Spec.Metrics.Alertmanager
	if declared == "" {
		s.lacks("alertmanager", "critical alerts are not seen")
		return nil
	}
	name, base, transport, err := s.transport(declared)
	if err != nil {
		return fmt.Errorf("read metrics.alertmanager: %w", err)
	}
	source, err := newAlertmanager("alertmanager "+name, base, transport, s.clock)
	if err != nil {
		return err
	}
	s.sources = append(s.sources, source)
	return nil
}

func (s *setUp) addDatabases(ctx context.Context) error {
	if len(s.rel.Spec.Databases) == 0 {
		s.lacks("database", "its connections, locks and transactions are not seen")
	}
	for _, declared := range s.rel.Spec.Databases {
		if err := s.addDatabase(ctx, declared); err != nil {
			return err
		}
	}
	return nil
}

// addDatabase sets up one database by the way that Resolve found.
func (s *setUp) addDatabase(ctx context.Context, declared release.Database) error {
	session := &lateSession{clock: s.clock, input: postgres.ResolveInput{
		Database: declared, Namespace: s.colors.namespace, Prometheus: s.server != nil,
		Kubernetes: s.client.Kubernetes, Getenv: os.Getenv, DialPod: s.client.DialPod,
	}}
	target, err := session.resolve(ctx)
	if err != nil || target.HasSession() {
		shown := "postgres " + declared.Name
		if err == nil {
			shown = target.String()
			// A refusal is what the first reading will say.
			_, _ = session.Snapshot(ctx)
		}
		s.sources = append(s.sources, newDatabase(declared, session, shown, s.colors, s.clock))
		return nil
	}
	s.lacks("sessions of database "+declared.Name, "it is observed by "+string(target.Via)+", which doesn't tell whose they are")
	if target.Via == release.ViaPrometheus {
		if s.server == nil {
			return fmt.Errorf("observe database %s: via prometheus, but metrics.prometheus is not declared", declared.Name)
		}
		s.sources = append(s.sources, newExportedDatabase(s.server, declared.Name, s.clock))
		return nil
	}
	name, _, transport, err := s.transport(declared.Observe.Exporter)
	if err != nil {
		return fmt.Errorf("read exporter of database %s: %w", declared.Name, err)
	}
	s.sources = append(s.sources, newExporter("postgres_exporter "+name, declared.Name, transport, s.clock))
	return nil
}
