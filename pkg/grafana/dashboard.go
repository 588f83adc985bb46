package grafana

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The part of Grafana's schema for dashboards that is written
// (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).

// schemaVersion is that of Grafana 12; later ones migrate it when they import it.
const schemaVersion = 41

// uidLength is how long an identifier of a dashboard may be.
const uidLength = 40

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	Refresh       string      `json:"refresh"`
	GraphTooltip  int         `json:"graphTooltip"`
	Time          timeRange   `json:"time"`
	Templating    templating  `json:"templating"`
	Annotations   annotations `json:"annotations"`
	Panels        []panel     `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Type  string `json:"type"`
	Query string `json:"query"`
}

type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	BuiltIn     int    `json:"builtIn,omitempty"`
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"`
	Datasource  source `json:"datasource"`
	Enable      bool   `json:"enable"`
	Hide        bool   `json:"hide,omitempty"`
	IconColor   string `json:"iconColor"`
	Expr        string `json:"expr,omitempty"`
	TitleFormat string `json:"titleFormat,omitempty"`
}

// prometheus is whichever one the person who looks at the dashboard has chosen.
func prometheus() source { return source{Type: "prometheus", UID: "${datasource}"} }

// Dashboard is the dashboard of a release, as JSON. series are, by database, label
// matchers that tell its server's series from those of others.
func Dashboard(rel *release.Release, series map[string]string) ([]byte, error) {
	panels, err := panelsOf(rel, series)
	if err != nil {
		return nil, err
	}
	metadata := rel.Metadata
	board := dashboard{
		UID: uid(metadata), Title: fmt.Sprintf("Blue-green: %s/%s", metadata.Namespace, metadata.Name),
		Description:   "Both colours of the release side by side, with the thresholds of its gate.",
		Tags:          []string{"bluegreen", metadata.Name},
		SchemaVersion: schemaVersion, Editable: true, Refresh: "10s",
		GraphTooltip: 1, // the moment under the cursor is shown in all panels
		Time:         timeRange{From: "now-1h", To: "now"},
		Templating:   templating{List: []variable{{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus"}}},
		Annotations:  annotations{List: annotationsOf(metadata)},
		Panels:       panels,
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(board); err != nil {
		return nil, fmt.Errorf("write dashboard: %w", err)
	}
	return text.Bytes(), nil
}

// uid stays the same for a release, so that importing it again replaces it.
func uid(metadata release.Metadata) string {
	id := "bluegreen-" + metadata.Namespace + "-" + metadata.Name
	if len(id) <= uidLength {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "bluegreen-" + hex.EncodeToString(sum[:12])
}

// annotationsOf are off until somebody wants them: they cost a query each.
func annotationsOf(metadata release.Metadata) []annotation {
	return []annotation{
		{BuiltIn: 1, Name: "Annotations & Alerts", Type: "dashboard", Datasource: source{Type: "grafana", UID: "-- Grafana --"}, Hide: true, IconColor: "blue"},
		{Name: "Alerts of the release", Datasource: prometheus(), IconColor: "red", TitleFormat: "{{alertname}} {{color}}{{database}}",
			Expr: fmt.Sprintf(`ALERTS{alertstate="firing",service=%q,namespace=%q}`, metadata.Name, metadata.Namespace)},
	}
}
