package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/config"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/serve"
)

func TestLoadReadsEveryPart(t *testing.T) {
	got, err := config.Load(environment(map[string]string{
		"PORT": "9090", "DB_POOL_SIZE": "25", "DB_POOL_WARM": "true", "DRAIN_SECONDS": "0.5",
		"PLAIN": "true", "FAULT_ERROR_RATE": "0.05", "FAULT_CRASH_AFTER": "0s", "FAULT_SLOW_START": "3s",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got.Port != 9090 || got.Database.PoolSize != 25 || !got.Database.Warm || got.Drain != 500*time.Millisecond ||
		got.Ending != serve.Plain || got.Faults.ErrorRate != 0.05 || got.SlowStart != 3*time.Second {
		t.Errorf("Load() = %+v", got)
	}
	if got.Faults.CrashAfter == nil || *got.Faults.CrashAfter != 0 {
		t.Errorf("FAULT_CRASH_AFTER=0s was read as %v, want a crash at once", got.Faults.CrashAfter)
	}
	if got.Database.ApplicationName != "recommendation-blue" {
		t.Errorf("application name = %q, want it to tell the colour", got.Database.ApplicationName)
	}
}

func TestLoadDefaultsToTheGracefulDrain(t *testing.T) {
	got, err := config.Load(environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.Port != 8080 || got.Ending != serve.Graceful || got.Drain != 5*time.Second || got.FaultsEnabled || got.Faults.CrashAfter != nil {
		t.Errorf("Load() = %+v", got)
	}
}

func TestLoadNamesTheVariable(t *testing.T) {
	for variable, values := range map[string][]string{
		"DATABASE_URL":           {""},
		"VERSION":                {""},
		"COLOR":                  {""},
		"PORT":                   {"http", "0", "70000"},
		"GRPC_PORT":              {"-1"},
		"DB_POOL_SIZE":           {"0", "many"},
		"DB_MIN_CONNS":           {"11"},
		"DB_POOL_WARM":           {"maybe"},
		"DRAIN_SECONDS":          {"5s", "-1"},
		"DRAIN":                  {"some"},
		"IDLE_TIMEOUT":           {"5"},
		"LOG_LEVEL":              {"loud"},
		"FAULTS_ENABLED":         {"2"},
		"FAULT_ERROR_RATE":       {"1.5", "x", "NaN"},
		"FAULT_LATENCY":          {"-1s"},
		"FAULT_LOCK_MODE":        {"everything"},
		"FAULT_LEAK_PER_SECOND":  {"-1"},
		"FAULT_LEAK_PER_REQUEST": {"-1"},
		"FAULT_CRASH_AFTER":      {"soon"},
	} {
		for _, value := range values {
			_, err := config.Load(environment(map[string]string{variable: value}))
			if err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s=%q: error %v does not name the variable", variable, value, err)
			}
		}
	}
}

func TestLoadReportsEveryMistakeTogether(t *testing.T) {
	_, err := config.Load(environment(map[string]string{"PORT": "x", "DRAIN": "x", "VERSION": ""}))
	for _, variable := range []string{"PORT", "DRAIN", "VERSION"} {
		if err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("error %v does not name %s", err, variable)
		}
	}
}

// environment is a complete one with some values replaced.
func environment(replaced map[string]string) func(string) string {
	complete := map[string]string{
		"DATABASE_URL": "postgres://shop@db/shop", "VERSION": "v2.4.0", "COLOR": "blue",
	}
	return func(variable string) string {
		if value, ok := replaced[variable]; ok {
			return value
		}
		return complete[variable]
	}
}
