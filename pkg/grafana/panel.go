package grafana

import "slices"

type panel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Datasource  source      `json:"datasource"`
	GridPos     gridPos     `json:"gridPos"`
	FieldConfig fieldConfig `json:"fieldConfig"`
	Options     options     `json:"options"`
	Targets     []target    `json:"targets"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type target struct {
	RefID        string `json:"refId"`
	Datasource   source `json:"datasource"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type defaults struct {
	Unit       string     `json:"unit"`
	Min        *float64   `json:"min,omitempty"`
	Max        *float64   `json:"max,omitempty"`
	Custom     custom     `json:"custom"`
	Thresholds thresholds `json:"thresholds"`
}

type custom struct {
	FillOpacity     int      `json:"fillOpacity"`
	ShowPoints      string   `json:"showPoints"`
	Stacking        stacking `json:"stacking"`
	ThresholdsStyle style    `json:"thresholdsStyle"`
}

type stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

type style struct {
	Mode string `json:"mode"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is the color from a value on; the first has none.
type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type options struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// The grid is 24 wide: two panels stand in a row.
const (
	panelWidth  = 12
	panelHeight = 8
)

// limit is a threshold of the gate: orange where it holds, red where it sends back.
type limit struct {
	value float64
	color string
}

// graph is a panel of lines over time, with dashed ones at its limits.
func graph(title, description, unit string, limits ...limit) panel {
	zero := 0.0
	one := panel{Type: "timeseries", Title: title, Description: description, Datasource: prometheus()}
	one.FieldConfig.Overrides = []override{}
	one.FieldConfig.Defaults = defaults{Unit: unit, Min: &zero,
		Custom:     custom{FillOpacity: 10, ShowPoints: "never", Stacking: stacking{Mode: "none", Group: "A"}, ThresholdsStyle: style{Mode: "off"}},
		Thresholds: thresholds{Mode: "absolute", Steps: []step{{Color: "green"}}}}
	for _, limit := range limits {
		one.FieldConfig.Defaults.Custom.ThresholdsStyle.Mode = "dashed"
		one.FieldConfig.Defaults.Thresholds.Steps = append(one.FieldConfig.Defaults.Thresholds.Steps, step{Color: limit.color, Value: &limit.value})
	}
	one.Options = options{Legend: legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{"lastNotNull"}}, Tooltip: tooltip{Mode: "multi", Sort: "none"}}
	return one
}

// shows adds a line.
func (p *panel) shows(legend, expression string) {
	p.Targets = append(p.Targets, target{RefID: string(rune('A' + len(p.Targets))), Datasource: prometheus(), Expr: expression, LegendFormat: legend})
}

// paints gives a line the color that it is called by, where Grafana has it.
func (p *panel) paints(name string) {
	if !slices.Contains([]string{"blue", "green", "red", "orange", "yellow", "purple"}, name) {
		return
	}
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
		Matcher:    matcher{ID: "byName", Options: name},
		Properties: []property{fixed(name)},
	})
}

func fixed(color string) property {
	return property{ID: "color", Value: map[string]string{"mode": "fixed", "fixedColor": color}}
}

// placed numbers panels and puts them into rows of two.
func placed(panels []panel) []panel {
	for i := range panels {
		panels[i].ID = i + 1
		panels[i].GridPos = gridPos{H: panelHeight, W: panelWidth, X: i % 2 * panelWidth, Y: i / 2 * panelHeight}
	}
	return panels
}
