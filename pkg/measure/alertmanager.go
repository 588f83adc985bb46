package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/utils/clock"
)

const (
	alertmanagerTimeout = 5 * time.Second
	alertsLimit         = 8 << 20
	// alertsNamed is how many alerts a reading names.
	alertsNamed = 3
)

// errNoAlerts says that an answer is something else.
var errNoAlerts = errors.New("its answer is not a list of alerts")

// alertmanager counts firing alerts of severity critical, leaving out those
// that are silenced or inhibited.
type alertmanager struct {
	name      string
	address   *url.URL
	transport http.RoundTripper
	clock     clock.PassiveClock
}

// alert is what the answer says of one alert.
type alert struct {
	Labels map[string]string `json:"labels"`
	Status struct {
		State string `json:"state"`
	} `json:"status"`
}

// newAlertmanager makes a source over an address and a transport.
func newAlertmanager(name, address string, transport http.RoundTripper, clock clock.PassiveClock) (*alertmanager, error) {
	base, err := url.Parse(address)
	if err != nil {
		// The cause quotes the address, which may hold a password.
		return nil, errors.New("read metrics.alertmanager: the address is not a URL")
	}
	target := base.JoinPath("api", "v2", "alerts")
	target.RawQuery = url.Values{"active": {"true"}, "silenced": {"false"}, "inhibited": {"false"}, "filter": {`severity="critical"`}}.Encode()
	return &alertmanager{name: name, address: target, transport: transport, clock: clock}, nil
}

// Name says which Alertmanager it is.
func (a *alertmanager) Name() string { return a.name }

// Answers reports whether the signal can be asked.
func (a *alertmanager) Answers(query Query) bool { return query.Signal == CriticalAlerts }

// Read answers one query.
func (a *alertmanager) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, Time: a.clock.Now(), Source: a.name, Expression: a.address.RequestURI()}
	ctx, cancel := context.WithTimeout(ctx, alertmanagerTimeout)
	defer cancel()
	alerts, err := a.firing(ctx)
	if err != nil {
		return reading.down("%v", err)
	}
	var names []string
	for i, one := range alerts {
		if i == alertsNamed {
			names = append(names, fmt.Sprintf("%d more", len(alerts)-alertsNamed))
			break
		}
		names = append(names, one.Labels["alertname"])
	}
	reading.Detail = strings.Join(names, ", ")
	return reading.ok(float64(len(alerts)), float64(len(alerts)))
}

// firing lists the alerts; the server filters, and we look again.
func (a *alertmanager) firing(ctx context.Context) ([]alert, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address.String(), nil)
	if err != nil {
		return nil, errors.New("it can't be asked: the address is not a URL")
	}
	response, err := (&http.Client{Transport: a.transport}).Do(request)
	if err != nil {
		return nil, plainError(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	var all *[]alert
	if err := json.NewDecoder(io.LimitReader(response.Body, alertsLimit)).Decode(&all); err != nil {
		if ctx.Err() != nil {
			return nil, errors.New("no answer in time")
		}
		return nil, errNoAlerts
	}
	if all == nil {
		return nil, errNoAlerts
	}
	var firing []alert
	for _, one := range *all {
		if one.Status.State == "" {
			return nil, errNoAlerts
		}
		if one.Labels["severity"] == "critical" && one.Status.State == "active" {
			firing = append(firing, one)
		}
	}
	return firing, nil
}
