package postgres

import (
	"fmt"
	"strconv"
	"strings"
)

// poolVariable is a variable that is known to set a pool's size.
type poolVariable struct {
	name  string
	stack string
}

// poolVariables are the well-known variables, the specific before the
// generic: the frameworks' own documentation names them.
func poolVariables() []poolVariable {
	return []poolVariable{
		{"SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE", "Hikari"},
		{"SPRING_DATASOURCE_HIKARI_MAXIMUMPOOLSIZE", "Hikari"},
		{"DB_POOL_SIZE", ""},
		{"DATABASE_POOL_SIZE", ""},
		{"DB_MAX_CONNECTIONS", ""},
		{"DB_MAX_OPEN_CONNS", "database/sql"},
		{"DB_MAX_OPEN_CONNECTIONS", "database/sql"},
		{"RAILS_MAX_THREADS", "Rails"},
		{"POOL_SIZE", "Ecto"},
	}
}

// stackDefault is what a stack opens when nothing sets it.
type stackDefault struct {
	// sign is a variable that only this stack's containers have.
	sign string
	// field is what to set, pool its default for one process.
	stack, field string
	pool         int
}

// stackDefaults are the defaults of pools, by what gives the stack away.
func stackDefaults() []stackDefault {
	return []stackDefault{
		{"SPRING_DATASOURCE_URL", "Hikari", "SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE", 10},
		{"RAILS_ENV", "Rails", "RAILS_MAX_THREADS", 5},
		{"DJANGO_SETTINGS_MODULE", "Django", "WEB_CONCURRENCY", 1},
		{"MIX_ENV", "Ecto", "POOL_SIZE", 10},
		{"PHX_HOST", "Ecto", "POOL_SIZE", 10},
		{"ASPNETCORE_URLS", "Npgsql", "connection string, parameter Maximum Pool Size", 100},
	}
}

func fromVariables(input PoolInput, environment environment) (PoolSize, bool) {
	for _, candidate := range poolVariables() {
		variable, found := environment.get(candidate.name)
		if !found {
			continue
		}
		pool := stated(input.Workload+" env "+candidate.name+variable.from(), variable.value, TrustConfigured)
		pool.Setting, pool.Places = variable.setting(input.Workload), input.places(variable)
		return environment.times(pool, candidate.stack), true
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
		pool.Field, pool.Places = input.Workload+" env "+candidate.field, input.container(sign.at, "env")
		if !strings.Contains(candidate.field, " ") {
			pool.Setting = &Setting{Workload: input.Workload, Container: sign.container, Variable: candidate.field}
		}
		pool.Warnings = []string{fmt.Sprintf("the pool size is %s's default (%d); set it, or state it with the annotation %s",
			candidate.stack, candidate.pool, AnnotationPoolSize)}
		if candidate.stack == "Django" {
			return django(pool, environment), true
		}
		return environment.times(pool, candidate.stack), true
	}
	return PoolSize{}, false
}

// django multiplies the one connection of a thread by the workers and the threads of
// its server. Its field holds the workers; where there are several connections a person
// decides of what to have fewer.
func django(pool PoolSize, environment environment) PoolSize {
	pool = environment.times(pool, "Django")
	server := environment.server()
	text, found := server.flag("", forkingServers()[server.name].threads)
	if !pool.Known || !found {
		text = "1"
	}
	threads, err := strconv.Atoi(text)
	if err != nil || threads < 1 {
		return PoolSize{Provenance: server.name + "'s --threads is not a whole number of at least 1", Field: pool.Field, Places: pool.Places}
	}
	if threads > 1 {
		pool.Provenance = fmt.Sprintf("%s × %d threads of %s", pool.Provenance, threads, server.name)
	}
	pool.Connections *= threads
	pool.Processes = threads
	if pool.Connections > 1 {
		pool.Setting = nil
	}
	return pool
}
