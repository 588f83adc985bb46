package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// dashboardsSought is how many dashboards are looked at where none is named.
	dashboardsSought = 10
	// sourcesSought is for how many sources of data it is asked whether they
	// exist.
	sourcesSought = 10
)

// Grafana asks a Grafana for dashboards, by its HTTP API.
type Grafana struct {
	name   string
	asker  asker
	uid    string
	titled string
}

// NewGrafana is the Grafana that a release declares, nil when it declares none.
// It reads the token, which stands in no error and is kept nowhere.
func NewGrafana(ctx context.Context, client *cluster.Client, rel *release.Release, getenv func(string) string) (*Grafana, error) {
	declared := rel.Spec.Dashboard.Grafana
	if declared == nil {
		return nil, nil
	}
	name, base, transport, err := connect(client, declared.URL+declared.Service)
	if err != nil {
		return nil, fmt.Errorf("read dashboard.grafana: %w", err)
	}
	asker, err := newAsker("dashboard.grafana", base, transport)
	if err != nil {
		return nil, err
	}
	if !declared.Token.IsZero() {
		if asker.header, err = bearer(ctx, client, rel.Metadata.Namespace, declared.Token, getenv); err != nil {
			return nil, fmt.Errorf("read dashboard.grafana.token: %w", err)
		}
	}
	return &Grafana{name: "grafana " + name, asker: asker, uid: declared.UID, titled: rel.Metadata.Name}, nil
}

// bearer is the header that a token is sent in.
func bearer(ctx context.Context, client *cluster.Client, namespace string, source release.SecretSource, getenv func(string) string) (http.Header, error) {
	if namespace == "" {
		namespace = client.Namespace
	}
	token, err := cluster.SecretValue(ctx, client.Kubernetes, namespace, source, getenv)
	if err != nil {
		return nil, err
	}
	token = strings.TrimSpace(token)
	if !httpguts.ValidHeaderFieldValue(token) {
		return nil, errors.New("its value can't stand in a header")
	}
	return http.Header{"Authorization": {"Bearer " + token}}, nil
}

// Name says which Grafana it is.
func (g *Grafana) Name() string { return g.name }

// Dashboards are the one that the release names, or those whose titles have its
// name; none where there is none.
func (g *Grafana) Dashboards(ctx context.Context) ([]Dashboard, error) {
	uids := []string{g.uid}
	if g.uid == "" {
		var err error
		if uids, err = g.search(ctx); err != nil {
			return nil, err
		}
	}
	var dashboards []Dashboard
	for _, uid := range uids {
		dashboard, err := g.dashboard(ctx, uid)
		if errors.Is(err, errNotThere) {
			continue
		}
		if err != nil {
			return nil, err
		}
		dashboards = append(dashboards, dashboard)
	}
	return dashboards, nil
}

// search finds dashboards by their titles.
func (g *Grafana) search(ctx context.Context) ([]string, error) {
	var hits *[]struct {
		UID string `json:"uid"`
	}
	query := url.Values{"type": {"dash-db"}, "query": {g.titled}, "limit": {strconv.Itoa(dashboardsSought)}}
	err := g.ask(ctx, query, &hits, "search")
	switch {
	case errors.Is(err, errNotThere):
		return nil, errors.New("it has no /api/search: it is no Grafana, or its API has another path")
	case err != nil:
		return nil, err
	case hits == nil:
		return nil, errors.New("its answer is no list of dashboards")
	}
	var uids []string
	for _, hit := range (*hits)[:min(len(*hits), dashboardsSought)] {
		uids = append(uids, hit.UID)
	}
	return uids, nil
}

// dashboard reads one and asks for the sources of its panels.
func (g *Grafana) dashboard(ctx context.Context, uid string) (Dashboard, error) {
	var answer struct {
		Dashboard *dashboardModel `json:"dashboard"`
	}
	if err := g.ask(ctx, nil, &answer, "dashboards", "uid", uid); err != nil {
		return Dashboard{}, err
	}
	if answer.Dashboard == nil || answer.Dashboard.UID != uid {
		return Dashboard{}, errors.New("its answer is no dashboard")
	}
	dashboard := answer.Dashboard.read()
	for _, source := range dashboard.sources() {
		if len(dashboard.Sources) == sourcesSought {
			break
		}
		state, err := g.source(ctx, source)
		if err != nil {
			return Dashboard{}, err
		}
		dashboard.Sources[source] = state
	}
	return dashboard, nil
}

// source asks whether a source of data exists. Older dashboards say its name
// where newer ones say its uid.
func (g *Grafana) source(ctx context.Context, source string) (SourceState, error) {
	if strings.HasPrefix(source, "$") {
		return SourceMissing, nil // a placeholder that an import would have filled in
	}
	for _, by := range []string{"uid", "name"} {
		var found struct {
			UID string `json:"uid"`
		}
		err := g.ask(ctx, nil, &found, "datasources", by, source)
		switch {
		case err == nil && found.UID == "":
			return "", errors.New("its answer is no source of data")
		case err == nil:
			return SourceThere, nil
		case errors.Is(err, errRefused):
			return SourceUnseen, nil
		case !errors.Is(err, errNotThere):
			return "", err
		}
	}
	return SourceMissing, nil
}

func (g *Grafana) ask(ctx context.Context, query url.Values, into any, path ...string) error {
	err := g.asker.get(ctx, query, into, append([]string{"api"}, path...)...)
	if errors.Is(err, errRefused) {
		return release.WithHint(err, "name the token of a service account that may view dashboards in spec.dashboard.grafana.token")
	}
	return err
}
