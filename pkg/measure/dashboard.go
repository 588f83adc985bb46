package measure

import (
	"encoding/json"
	"slices"
	"strings"
)

// Dashboard is what a Grafana has of one dashboard.
type Dashboard struct {
	UID, Title string
	Queries    []PanelQuery
	Variables  []DashboardVariable
	// Libraries are panels that are kept elsewhere, so that their queries are not
	// in the dashboard.
	Libraries []string
	// Sources are the sources of data that the queries name.
	Sources map[string]SourceState
}

// PanelQuery is what a panel asks for.
type PanelQuery struct {
	Panel, Query string
	// Source is the uid of the source of data, or its name; "" for the one that
	// is usual, or for one that a variable chooses.
	Source string
}

// DashboardVariable is what people choose at the top of a dashboard.
type DashboardVariable struct {
	Name string
	// Values are those that it may have, nil where they are found by a query.
	Values []string
	// Several: more than one may be chosen at once.
	Several bool
}

// SourceState says whether a source of data exists.
type SourceState string

// The states; unseen says that we may not know.
const (
	SourceThere   SourceState = "there"
	SourceMissing SourceState = "missing"
	SourceUnseen  SourceState = "unseen"
)

// dashboardModel is a dashboard as the API tells it.
type dashboardModel struct {
	UID        string       `json:"uid"`
	Title      string       `json:"title"`
	Panels     []panelModel `json:"panels"`
	Templating struct {
		List []variableModel `json:"list"`
	} `json:"templating"`
}

type panelModel struct {
	Title        string           `json:"title"`
	Datasource   sourceModel      `json:"datasource"`
	LibraryPanel *json.RawMessage `json:"libraryPanel"`
	Panels       []panelModel     `json:"panels"`
	Targets      []struct {
		Datasource sourceModel `json:"datasource"`
		Hide       bool        `json:"hide"`
		Expr       string      `json:"expr"`
		Query      text        `json:"query"`
		RawSQL     string      `json:"rawSql"`
	} `json:"targets"`
}

type variableModel struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Query      text   `json:"query"`
	Multi      bool   `json:"multi"`
	IncludeAll bool   `json:"includeAll"`
}

// sourceModel is a source of data: an object with a uid, or its name alone.
type sourceModel string

// UnmarshalJSON implements json.Unmarshaler.
func (s *sourceModel) UnmarshalJSON(data []byte) error {
	var object struct {
		UID string `json:"uid"`
	}
	if json.Unmarshal(data, &object) == nil {
		*s = sourceModel(object.UID)
		return nil
	}
	return json.Unmarshal(data, (*string)(s))
}

// text is a text, or "" for what is anything else.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	_ = json.Unmarshal(data, (*string)(t)) // an object is no query of ours
	return nil
}

// read is the dashboard without what nobody looks at.
func (m *dashboardModel) read() Dashboard {
	dashboard := Dashboard{UID: m.UID, Title: m.Title, Sources: map[string]SourceState{}}
	chosen := map[string]bool{}
	for _, variable := range m.Templating.List {
		if variable.Type == "datasource" {
			chosen[variable.Name] = true
			continue
		}
		dashboard.Variables = append(dashboard.Variables, variable.read())
	}
	for _, panel := range m.Panels {
		panel.read(&dashboard, chosen)
	}
	return dashboard
}

func (v variableModel) read() DashboardVariable {
	variable := DashboardVariable{Name: v.Name, Several: v.Multi || v.IncludeAll}
	if v.Type == "custom" || v.Type == "constant" || v.Type == "textbox" {
		for option := range strings.SplitSeq(string(v.Query), ",") {
			if _, value, named := strings.Cut(option, " : "); named {
				option = value
			}
			variable.Values = append(variable.Values, strings.TrimSpace(option))
		}
	}
	return variable
}

// read adds what a panel asks for, and what those in it do.
func (p panelModel) read(into *Dashboard, chosen map[string]bool) {
	for _, inner := range p.Panels {
		inner.read(into, chosen)
	}
	if p.LibraryPanel != nil && len(p.Targets) == 0 {
		into.Libraries = append(into.Libraries, p.Title)
	}
	for _, target := range p.Targets {
		query := target.Expr + string(target.Query) + target.RawSQL
		if target.Hide || query == "" {
			continue
		}
		source := target.Datasource
		if source == "" {
			source = p.Datasource
		}
		into.Queries = append(into.Queries, PanelQuery{Panel: p.Title, Query: query, Source: source.fixed(chosen)})
	}
}

// fixed is the source unless a variable chooses it, or Grafana itself is it.
func (s sourceModel) fixed(chosen map[string]bool) string {
	name := strings.Trim(string(s), "${}[]")
	if chosen[name] || strings.HasPrefix(string(s), "--") || s == "default" {
		return ""
	}
	return string(s)
}

// sources are those that the queries name, each once.
func (d Dashboard) sources() []string {
	var sources []string
	for _, query := range d.Queries {
		if query.Source != "" && !slices.Contains(sources, query.Source) {
			sources = append(sources, query.Source)
		}
	}
	return sources
}
