package release

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestApplyDefaults(t *testing.T) {
	loaded, err := Load("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	minutes := func(n float64) Duration { return Duration(n * float64(time.Minute)) }
	want := Spec{
		Colors: map[string]Color{
			"blue":  {Workloads: []Workload{{"deployment", "shop-blue"}}, Selector: map[string]string{"version": "blue"}},
			"green": {Workloads: []Workload{{"deployment", "shop-green"}}, Selector: map[string]string{"version": "green"}},
		},
		Traffic: Traffic{
			Service: &ServiceRoute{Name: "shop"},
			Steps:   []Step{{Weight: 100, Hold: minutes(5)}},
			Watch:   minutes(10),
			Drain:   DrainAuto,
			Deadlines: Deadlines{Rollout: minutes(3), Validation: minutes(2), Total: minutes(15), Reroute: minutes(1),
				Recover: minutes(1.5), Rollback: minutes(2), Drain: minutes(2)},
		},
		Metrics: Metrics{Provider: "http", VersionLabel: "version"},
		Gates: Gates{Profile: "atomic", Interval: Duration(5 * time.Second),
			Relative: "advance", SourceDown: SourceDown{Deadline: minutes(2), Policy: "hold"}, OnFailure: "rollback", OnRival: "hold"},
		Require: "starter",
	}
	if diff := cmp.Diff(want, loaded.Release.Spec); diff != "" {
		t.Error(diff)
	}
	again := *loaded.Release
	ApplyDefaults(&again)
	if diff := cmp.Diff(want, again.Spec); diff != "" {
		t.Errorf("applying the defaults twice changes them: %s", diff)
	}
}

func TestDefaultsGrowWithWhatIsWritten(t *testing.T) {
	document := Release{Spec: Spec{
		Traffic: Traffic{Steps: []Step{{Weight: 50, Hold: Duration(3 * time.Minute)}, {Weight: 100, Hold: Duration(20 * time.Minute)}},
			Deadlines: Deadlines{Recover: Duration(4 * time.Minute)}},
		Databases: []Database{{Name: "main"}},
	}}
	ApplyDefaults(&document)
	traffic := document.Spec.Traffic
	if traffic.Watch.String() != "20m" || traffic.Deadlines.Total.String() != "28m" || traffic.Deadlines.Rollback.String() != "4m" {
		t.Errorf("watch %s, total %s, rollback %s", traffic.Watch, traffic.Deadlines.Total, traffic.Deadlines.Rollback)
	}
	if document.Spec.Gates.Profile != ProfileWeighted {
		t.Errorf("a route with weights has the profile %s", document.Spec.Gates.Profile)
	}
	if database := document.Spec.Databases[0]; database.Budget != 0.8 || database.Observe.Via != ViaAuto {
		t.Errorf("the database has %v", database)
	}
}

// TestStepsFollowTheRoute: a route with weights goes by half unless everything
// at once is asked for; a Service can't do otherwise.
func TestStepsFollowTheRoute(t *testing.T) {
	half := []Step{{Weight: 50, Hold: DefaultStepHold}, {Weight: 100, Hold: DefaultHold}}
	whole := []Step{{Weight: 100, Hold: DefaultHold}}
	route := &NamedRoute{Name: "shop"}
	for name, c := range map[string]struct {
		spec    Spec
		steps   []Step
		profile string
	}{
		"a Service":                  {Spec{Traffic: Traffic{Service: &ServiceRoute{Name: "shop"}}}, whole, ProfileAtomic},
		"an HTTPRoute":               {Spec{Traffic: Traffic{HTTPRoute: route}}, half, ProfileWeighted},
		"a GRPCRoute":                {Spec{Traffic: Traffic{GRPCRoute: route}}, half, ProfileWeighted},
		"an HTTPRoute, all at once":  {Spec{Traffic: Traffic{HTTPRoute: route}, Gates: Gates{Profile: ProfileAtomic}}, whole, ProfileAtomic},
		"two HTTPRoutes":             {Spec{Traffic: Traffic{HTTPRoute: route, Also: []AlsoRoute{{HTTPRoute: &NamedRoute{Name: "admin"}}}}}, half, ProfileWeighted},
		"an HTTPRoute and a Service": {Spec{Traffic: Traffic{HTTPRoute: route, Also: []AlsoRoute{{Service: &ServiceRoute{Name: "internal"}}}}}, whole, ProfileAtomic},
		"steps that are written":     {Spec{Traffic: Traffic{HTTPRoute: route, Steps: []Step{{Weight: 100}}}}, []Step{{Weight: 100}}, ProfileWeighted},
	} {
		t.Run(name, func(t *testing.T) {
			document := &Release{Spec: c.spec}
			ApplyDefaults(document)
			if diff := cmp.Diff(c.steps, document.Spec.Traffic.Steps); diff != "" || document.Spec.Gates.Profile != c.profile {
				t.Errorf("profile %s, steps %s", document.Spec.Gates.Profile, diff)
			}
			if total, waits := document.Spec.Traffic.Deadlines.Total, document.Spec.Traffic.Waits(); total < waits {
				t.Errorf("total is %s, and the run waits %s", total, waits)
			}
		})
	}
}

// The streams of logs are told by the label that the series are told by, unless
// the document says another one.
func TestTheVersionLabelOfLogs(t *testing.T) {
	for written, want := range map[string]string{"": "version", "app_version": "app_version"} {
		document := Release{Spec: Spec{
			Colors: map[string]Color{"blue": {Selector: map[string]string{"version": "blue"}}, "green": {Selector: map[string]string{"version": "green"}}},
			Logs:   Logs{Loki: &Loki{VersionLabel: written}},
		}}
		ApplyDefaults(&document)
		if got := document.Spec.Logs.Loki.VersionLabel; got != want {
			t.Errorf("written %q, it is %q, want %q", written, got, want)
		}
	}
}
