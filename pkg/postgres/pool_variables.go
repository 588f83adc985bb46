package postgres

import (
	"fmt"
	"strconv"
	"strings"
)

// poolVariable is a variable that is known to set a pool's size.
type poolVariable struct {
	name string
	// processes is the variable that says how many processes a pod runs,
	// each with a pool of its own; "" for one.
	processes string
	stack     string
}

// poolVariables are the well-known variables, the specific before the
// generic: the frameworks' own documentation names them.
func poolVariables() []poolVariable {
	return []poolVariable{
		{"SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE", "", "Hikari"},
		{"SPRING_DATASOURCE_HIKARI_MAXIMUMPOOLSIZE", "", "Hikari"},
		{"DB_POOL_SIZE", "", ""},
		{"DATABASE_POOL_SIZE", "", ""},
		{"DB_MAX_CONNECTIONS", "", ""},
		{"DB_MAX_OPEN_CONNS", "", "database/sql"},
		{"DB_MAX_OPEN_CONNECTIONS", "", "database/sql"},
		{"RAILS_MAX_THREADS", "WEB_CONCURRENCY", "Rails"},
		{"POOL_SIZE", "", "Ecto"},
	}
}

// stackDefault is what a stack opens when nothing sets it.
type stackDefault struct {
	// sign is a variable that only this stack's containers have.
	sign string
	// field is what to set, pool its default, processes as above.
	stack, field string
	pool         int
	processes    string
}

// stackDefaults are the defaults of pools, by what gives the stack away.
func stackDefaults() []stackDefault {
	return []stackDefault{
		{"SPRING_DATASOURCE_URL", "Hikari", "SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE", 10, ""},
		{"RAILS_ENV", "Rails", "RAILS_MAX_THREADS", 5, "WEB_CONCURRENCY"},
		{"DJANGO_SETTINGS_MODULE", "Django", "WEB_CONCURRENCY", 1, "WEB_CONCURRENCY"},
		{"MIX_ENV", "Ecto", "POOL_SIZE", 10, ""},
		{"PHX_HOST", "Ecto", "POOL_SIZE", 10, ""},
		{"ASPNETCORE_URLS", "Npgsql", "connection string, parameter Maximum Pool Size", 100, ""},
	}
}

func fromVariables(input PoolInput, environment environment) (PoolSize, bool) {
	for _, candidate := range poolVariables() {
		variable, found := environment.get(candidate.name)
		if !found {
			continue
		}
		pool := stated(input.Workload+" env "+candidate.name, variable.value, TrustConfigured)
		pool.Setting = variable.setting(input.Workload)
		if pool.Known {
			pool = times(pool, environment, candidate.processes)
		}
		return pool, true
	}
	return PoolSize{}, false
}

func fromDefault(input PoolInput, environment environment) (PoolSize, bool) {
	for _, candidate := range stackDefaults() {
		sign, found := environment.get(candidate.sign)
		if !found {
			continue
		}
		pool := known(candidate.pool, candidate.stack+"'s default", TrustAssumed)
		pool.Field = input.Workload + " env " + candidate.field
		if !strings.Contains(candidate.field, " ") {
			pool.Setting = &Setting{Workload: input.Workload, Container: sign.container, Variable: candidate.field}
		}
		pool.Warnings = []string{fmt.Sprintf("the pool size is %s's default (%d); set it, or state it with the annotation %s",
			candidate.stack, candidate.pool, AnnotationPoolSize)}
		if candidate.stack == "Django" {
			return django(pool, environment), true
		}
		return times(pool, environment, candidate.processes), true
	}
	return PoolSize{}, false
}

// django multiplies the one connection of a thread by gunicorn's workers and
// threads; arguments win over the variable.
func django(pool PoolSize, environment environment) PoolSize {
	workers, threads := environment.gunicorn()
	if workers == 0 {
		pool = times(pool, environment, "WEB_CONCURRENCY")
		workers = max(1, pool.Processes)
	}
	if !pool.Known || workers == 1 && threads <= 1 {
		return pool
	}
	pool.Connections = workers * max(1, threads)
	pool.Processes = workers
	pool.Provenance = fmt.Sprintf("Django's 1 × %d workers × %d threads of gunicorn", workers, max(1, threads))
	// Its persistent connections are one a thread: no variable alone says how
	// many, so a person decides.
	pool.Setting = nil
	return pool
}

// times multiplies a pool by the processes of a pod.
func times(pool PoolSize, environment environment, processes string) PoolSize {
	if processes == "" {
		return pool
	}
	variable, found := environment.get(processes)
	if !found {
		return pool
	}
	count, err := strconv.Atoi(variable.value)
	if err != nil || count < 1 {
		return PoolSize{Provenance: processes + " is not a whole number of at least 1", Field: pool.Field}
	}
	pool.Processes = count
	pool.Connections *= count
	pool.Provenance = fmt.Sprintf("%s × %d processes (%s)", pool.Provenance, count, processes)
	return pool
}
