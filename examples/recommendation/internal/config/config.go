// Package config reads the service's configuration from its environment.
//
// Everything is checked before the service does anything, all mistakes are
// reported together, and each names its variable: a pod that starts with half
// a configuration is harder to understand than one that refuses to. The
// database's connection string is a secret and never part of an error.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/serve"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/store"
)

// Config is the whole configuration.
type Config struct {
	// Port is where HTTP is served; GRPCPort is where gRPC is, 0 for nowhere.
	Port, GRPCPort int
	// Version is the release, such as v2.5.0; Color the slot it runs in.
	Version, Color string
	LogLevel       slog.Level
	Database       store.Config
	// RequestTimeout bounds the work on one production request.
	RequestTimeout time.Duration
	// Ending is what SIGTERM does; Drain is how long clients are let go of
	// in the graceful one.
	Ending      serve.Ending
	Drain       time.Duration
	IdleTimeout time.Duration
	// FaultsEnabled opens POST /faults.
	FaultsEnabled bool
	// Faults are the switches at start.
	Faults fault.Settings
	// Takers are how many jobs a pod takes from the queue at once, 0 for none, and
	// JobTime is how long one takes.
	Takers  int
	JobTime time.Duration
	// SlowStart delays listening.
	SlowStart time.Duration
}

// Load reads the configuration; its error names every variable that is
// missing or makes no sense.
func Load(getenv func(string) string) (Config, error) {
	e := environment{getenv: getenv}
	c := Config{
		Port:     e.integer("PORT", 8080, 1, 65535),
		GRPCPort: e.integer("GRPC_PORT", 0, 0, 65535),
		Version:  e.required("VERSION"),
		Color:    e.required("COLOR"),
		LogLevel: e.level("LOG_LEVEL"),

		RequestTimeout: e.duration("REQUEST_TIMEOUT", 2*time.Second),
		Drain:          e.seconds("DRAIN_SECONDS", 5*time.Second),
		IdleTimeout:    e.duration("IDLE_TIMEOUT", 2*time.Minute),
		Ending:         e.ending(),
		FaultsEnabled:  e.boolean("FAULTS_ENABLED"),
		Takers:         e.integer("JOB_TAKERS", 0, 0, 1000),
		JobTime:        e.duration("JOB_TIME", 10*time.Millisecond),
		SlowStart:      e.duration("FAULT_SLOW_START", 0),
	}
	c.Database = e.database(c.Color)
	c.Faults = e.faults()
	if err := errors.Join(e.problems...); err != nil {
		return Config{}, err
	}
	return c, nil
}

func (e *environment) database(color string) store.Config {
	size := e.integer("DB_POOL_SIZE", 10, 1, 10_000)
	return store.Config{
		DSN:             e.required("DATABASE_URL"),
		ApplicationName: "recommendation-" + color,
		PoolSize:        int32(size),
		MinConns:        int32(e.integer("DB_MIN_CONNS", 0, 0, size)),
		Warm:            e.boolean("DB_POOL_WARM"),
		ConnectTimeout:  e.duration("DB_CONNECT_TIMEOUT", 2*time.Second),
	}
}

func (e *environment) faults() fault.Settings {
	settings := fault.Settings{
		ErrorRate:      e.number("FAULT_ERROR_RATE"),
		Latency:        fault.Duration(e.duration("FAULT_LATENCY", 0)),
		QueryTime:      fault.Duration(e.duration("FAULT_QUERY_TIME", 0)),
		LeakPerSecond:  e.number("FAULT_LEAK_PER_SECOND"),
		LeakPerRequest: e.integer("FAULT_LEAK_PER_REQUEST", 0, 0, 10_000),
		LockFor:        fault.Duration(e.duration("FAULT_LOCK_FOR", 0)),
		LockMode:       fault.LockMode(e.getenv("FAULT_LOCK_MODE")),
		NotReady:       e.boolean("FAULT_NOT_READY"),
		NoDrain:        e.boolean("FAULT_NO_DRAIN"),
	}
	if e.getenv("FAULT_CRASH_AFTER") != "" {
		after := fault.Duration(e.duration("FAULT_CRASH_AFTER", 0))
		settings.CrashAfter = &after
	}
	for field, err := range settings.Problems() {
		e.problem(faultVariables[field], err)
	}
	return settings
}

// faultVariables names the variable behind each field of the fault switches.
var faultVariables = map[string]string{
	"errorRate": "FAULT_ERROR_RATE", "latency": "FAULT_LATENCY", "queryTime": "FAULT_QUERY_TIME",
	"leakPerSecond": "FAULT_LEAK_PER_SECOND", "leakPerRequest": "FAULT_LEAK_PER_REQUEST",
	"lockFor": "FAULT_LOCK_FOR", "lockMode": "FAULT_LOCK_MODE", "crashAfter": "FAULT_CRASH_AFTER",
}

// environment reads variables and collects what is wrong with them.
type environment struct {
	getenv   func(string) string
	problems []error
}

func (e *environment) problem(variable string, err error) {
	e.problems = append(e.problems, fmt.Errorf("read %s: %w", variable, err))
}

func (e *environment) required(variable string) string {
	value := e.getenv(variable)
	if value == "" {
		e.problem(variable, errors.New("it is not set"))
	}
	return value
}

func (e *environment) integer(variable string, standard, least, most int) int {
	text := e.getenv(variable)
	if text == "" {
		return standard
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		e.problem(variable, fmt.Errorf("%q is not a whole number from %d to %d", text, least, most))
		return standard
	}
	return value
}

func (e *environment) number(variable string) float64 {
	text := e.getenv(variable)
	if text == "" {
		return 0
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		e.problem(variable, fmt.Errorf("%q is not a number", text))
	}
	return value
}

func (e *environment) boolean(variable string) bool {
	text := e.getenv(variable)
	if text == "" {
		return false
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		e.problem(variable, fmt.Errorf("%q is neither true nor false", text))
	}
	return value
}

func (e *environment) duration(variable string, standard time.Duration) time.Duration {
	text := e.getenv(variable)
	if text == "" {
		return standard
	}
	value, err := time.ParseDuration(text)
	if err != nil || value < 0 {
		e.problem(variable, fmt.Errorf("%q is not a duration such as 500ms or 5s", text))
		return standard
	}
	return value
}

func (e *environment) seconds(variable string, standard time.Duration) time.Duration {
	text := e.getenv(variable)
	if text == "" {
		return standard
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || value < 0 || value > 3600 {
		e.problem(variable, fmt.Errorf("%q is not a number of seconds from 0 to 3600", text))
		return standard
	}
	return time.Duration(value * float64(time.Second))
}

func (e *environment) level(variable string) slog.Level {
	var level slog.Level
	if text := e.getenv(variable); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			e.problem(variable, fmt.Errorf("%q is not one of debug, info, warn, error", text))
		}
	}
	return level
}

// ending reads how SIGTERM is answered: PLAIN=true is net/http's own Shutdown
// at once, DRAIN=none closes everything at once.
func (e *environment) ending() serve.Ending {
	plain := e.boolean("PLAIN")
	switch text := e.getenv("DRAIN"); {
	case text == "none" && plain:
		e.problem("PLAIN", errors.New("it contradicts DRAIN=none"))
	case text == "none":
		return serve.Abrupt
	case text != "":
		e.problem("DRAIN", fmt.Errorf("%q is not none; leave it unset for the graceful drain", text))
	case plain:
		return serve.Plain
	}
	return serve.Graceful
}
