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
			SourceDown: SourceDown{Deadline: minutes(2), Policy: "hold"}, OnFailure: "rollback", OnRival: "hold"},
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
		Traffic: Traffic{Steps: []Step{{50, Duration(3 * time.Minute)}, {100, Duration(20 * time.Minute)}},
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
