package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// ReadPooler asks the admin console of one PgBouncer for its configuration and
// for the addresses of its clients, this session's own not among them. The
// target's database is pgbouncer, its role one of admin_users or stats_users.
func ReadPooler(ctx context.Context, target Target) (config PoolerConfig, clients []string, err error) {
	if !target.HasSession() {
		return PoolerConfig{}, nil, fmt.Errorf("connect to %s: %w", target, ErrNoSession)
	}
	settings := target.config.Copy()
	settings.ConnectTimeout = connectTimeout
	// A console takes no settings of a session.
	settings.RuntimeParams = map[string]string{}
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, &settings.Config)
	if err != nil {
		return PoolerConfig{}, nil, fmt.Errorf("connect to the console of %s: %w", target, publicError(err, target.secrets()...))
	}
	console := &console{conn: conn}
	config, clients = console.read(ctx)
	_ = conn.Close(ctx) // what was read is whole
	if console.err != nil {
		return PoolerConfig{}, nil, fmt.Errorf("ask the console of %s: %w", target, publicError(console.err, target.secrets()...))
	}
	return config, clients, nil
}

// console asks; after the first error it asks no more.
type console struct {
	conn *pgconn.PgConn
	err  error
}

func (c *console) read(ctx context.Context) (config PoolerConfig, clients []string) {
	config = NewPoolerConfig()
	config.Where = "its admin console"
	for _, row := range c.show(ctx, "CONFIG") {
		c.note(config.Set(row["key"], row["value"]))
	}
	for _, row := range c.show(ctx, "DATABASES") {
		if row["name"] == "pgbouncer" {
			continue
		}
		config.Databases = append(config.Databases, PoolerDatabase{Name: row["name"], Target: row["database"], User: row["force_user"],
			PoolSize: c.number(row, "pool_size"), Reserve: c.number(row, "reserve_pool", "reserve_pool_size"), MaxConnections: c.number(row, "max_connections")})
	}
	own := false
	for _, row := range c.show(ctx, "CLIENTS") {
		if !own && row["database"] == "pgbouncer" && row["state"] == "active" {
			own = true
			continue
		}
		clients = append(clients, row["addr"])
	}
	return config, clients
}

func (c *console) note(err error) {
	if c.err == nil {
		c.err = err
	}
}

// number is that of the first of the columns that there is: their names differ
// between versions.
func (c *console) number(row map[string]string, columns ...string) int {
	for _, column := range columns {
		text, found := row[column]
		if !found {
			continue
		}
		number, err := strconv.Atoi(text)
		if err != nil {
			c.note(fmt.Errorf("read %s: it is not a number", column))
		}
		return number
	}
	c.note(fmt.Errorf("read %s: the console does not tell it", columns[0]))
	return 0
}

// show is the answer to a SHOW, a row each, by column.
func (c *console) show(ctx context.Context, what string) []map[string]string {
	if c.err != nil {
		return nil
	}
	results, err := c.conn.Exec(ctx, "SHOW "+what).ReadAll()
	if err != nil {
		c.err = err
		return nil
	}
	var rows []map[string]string
	for _, result := range results {
		for _, values := range result.Rows {
			row := map[string]string{}
			for i, field := range result.FieldDescriptions {
				row[field.Name] = string(values[i])
			}
			rows = append(rows, row)
		}
	}
	return rows
}
