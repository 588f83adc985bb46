package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PgBouncer's own defaults, which hold for what its configuration leaves out.
const (
	poolerClients  = 100
	poolerPoolSize = 20
)

// Pooler is a PgBouncer, or several that are configured alike, between the
// colours and PostgreSQL. What it opens towards PostgreSQL counts there
// instead of the pods' pools; these count against its clients.
type Pooler struct {
	// Name is for people, such as deployment/pgbouncer.
	Name string `json:"name"`
	// Instances is how many serve clients, Peak how many may run at once: with
	// their autoscaler's maximum and surge.
	Instances int `json:"instances"`
	Peak      int `json:"peak"`
	// Addresses are those of its pods, by which its sessions are told.
	Addresses []string     `json:"addresses,omitempty"`
	Config    PoolerConfig `json:"config"`
	// Clients are the addresses of those that hold a connection to it, as many
	// times as they do; Counted says that every instance was asked.
	Clients []string `json:"clients,omitempty"`
	Counted bool     `json:"counted,omitempty"`
	// Problem says why its configuration is not known, "" when it is.
	Problem string `json:"problem,omitempty"`
}

// PoolerConfig is what a PgBouncer's configuration says of its connections.
// Everything is for one instance.
type PoolerConfig struct {
	// MaxClients is max_client_conn.
	MaxClients int `json:"maxClients"`
	// Default is what an entry has that says nothing else.
	Default PoolerDatabase `json:"default"`
	// MaxUser is max_user_connections, 0 for none.
	MaxUser int `json:"maxUser,omitempty"`
	// Databases are its entries; that of the name * stands for any other.
	Databases []PoolerDatabase `json:"databases,omitempty"`
	// Where is what holds the configuration, for people.
	Where string `json:"where,omitempty"`
	// Setting is where its default_pool_size is set, nil where no patch can
	// change it.
	Setting *Setting `json:"setting,omitempty"`
}

// PoolerDatabase is one entry of [databases].
type PoolerDatabase struct {
	// Name is that by which clients ask for it, Target the database's in
	// PostgreSQL.
	Name   string `json:"name,omitempty"`
	Target string `json:"target,omitempty"`
	// User is the role that every connection logs in with, "" for the client's.
	User string `json:"user,omitempty"`
	// PoolSize and Reserve are of each user's pool, MaxConnections of all
	// users' together; unset is the configuration's Default, and a
	// MaxConnections of 0 is no limit.
	PoolSize       int `json:"poolSize"`
	Reserve        int `json:"reserve"`
	MaxConnections int `json:"maxConnections"`
}

const unset = -1

// NewPoolerConfig is the configuration that says nothing: PgBouncer's defaults.
func NewPoolerConfig() PoolerConfig {
	return PoolerConfig{MaxClients: poolerClients, Default: PoolerDatabase{PoolSize: poolerPoolSize}}
}

// Set notes a setting by the name that it has in [pgbouncer]; names that say
// nothing of connections are left alone. The error does not repeat the value.
func (c *PoolerConfig) Set(name, value string) error {
	into, known := map[string]*int{
		"max_client_conn": &c.MaxClients, "default_pool_size": &c.Default.PoolSize, "reserve_pool_size": &c.Default.Reserve,
		"max_db_connections": &c.Default.MaxConnections, "max_user_connections": &c.MaxUser,
	}[strings.ToLower(strings.TrimSpace(name))]
	if !known {
		return nil
	}
	number, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || number < 0 {
		return fmt.Errorf("read %s: it is not a whole number of at least 0", name)
	}
	*into = number
	return nil
}

// entry is the entry by which clients reach a name, complete.
func (c PoolerConfig) entry(name string) (PoolerDatabase, bool) {
	for _, candidate := range []string{name, "*"} {
		at := slices.IndexFunc(c.Databases, func(entry PoolerDatabase) bool { return entry.Name == candidate })
		if at < 0 || name == "" {
			continue
		}
		entry := c.Databases[at]
		entry.Name, entry.Target = name, cmp.Or(entry.Target, name)
		for _, field := range []struct {
			value   *int
			instead int
		}{{&entry.PoolSize, c.Default.PoolSize}, {&entry.Reserve, c.Default.Reserve}, {&entry.MaxConnections, c.Default.MaxConnections}} {
			if *field.value == unset {
				*field.value = field.instead
			}
		}
		return entry, true
	}
	return PoolerDatabase{}, false
}

// serverPool is one pool of an instance: that of a user in an entry.
type serverPool struct {
	entry PoolerDatabase
	role  string
}

func (p serverPool) size() int { return p.entry.PoolSize + p.entry.Reserve }

func (p serverPool) holds(session Session) bool {
	return session.Database == p.entry.Target && session.Role == p.role
}

// pools are those that the colours use; why says what keeps them from being
// known. Colours that log in as one role to one entry share a pool.
func (p *Pooler) pools(colors []ColorDemand) (pools []serverPool, why string) {
	if p.Problem != "" {
		return nil, "what " + p.Name + " may open is not known: " + p.Problem
	}
	for _, color := range colors {
		entry, found := p.Config.entry(color.Pool.Database)
		role := cmp.Or(entry.User, color.Role)
		switch {
		case color.Pool.Database == "":
			return nil, "which database " + color.Color + " asks " + p.Name + " for is not known: its connection string could not be read"
		case !found:
			return nil, fmt.Sprintf("%s has no entry for database %s, which %s asks for", p.Name, color.Pool.Database, color.Color)
		case role == "":
			return nil, "which role " + color.Color + " logs in with is not known, and " + p.Name + " has a pool for each"
		}
		pool := serverPool{entry: entry, role: role}
		if !slices.Contains(pools, pool) {
			pools = append(pools, pool)
		}
	}
	return pools, ""
}

// most is what all instances may open together of the pools: those of an entry
// at most its max_db_connections, and those of a user at most
// max_user_connections.
func (p *Pooler) most(pools []serverPool) int {
	entries, users := map[string]int{}, map[string]int{}
	limits := map[string]int{}
	for _, pool := range pools {
		size := atMost(pool.size(), p.Config.MaxUser)
		entries[pool.entry.Name] += size
		users[pool.role] += size
		limits[pool.entry.Name] = pool.entry.MaxConnections
	}
	byEntry, byUser := 0, 0
	for name, sum := range entries {
		byEntry += atMost(sum, limits[name])
	}
	for _, sum := range users {
		byUser += atMost(sum, p.Config.MaxUser)
	}
	return p.Peak * min(byEntry, byUser)
}

// atMost is the number under a limit of which 0 is none.
func atMost(number, limit int) int {
	if limit == 0 {
		return number
	}
	return min(number, limit)
}
