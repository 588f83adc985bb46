package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/trial"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// tryMigrations applies migrations in a scratch database, and adds what was seen to
// what was read.
func (i *invocation) tryMigrations(ctx context.Context, flags *migrationsFlags, migrations []dialect.Migration, report *migration.Report, options migration.Options) error {
	dsn, err := i.scratchServer(flags.against)
	if err != nil {
		return err
	}
	target, err := postgres.NewTarget("scratch", dsn, release.ViaDirect, nil)
	if err != nil {
		return release.WithHint(fmt.Errorf("read --against: %w", errors.Unwrap(err)), "--against env:NAME, with postgres://ROLE:PASSWORD@HOST/postgres in the variable NAME")
	}
	var queries []trial.Query
	if flags.queries != "" {
		if queries, err = trial.ReadQueries(flags.queries); err != nil {
			return err
		}
	}
	seen, err := trial.Run(ctx, trial.Options{Target: target, Migrations: migrations, OnlyNamed: options.OnlyNamed, Schema: flags.schema, Queries: queries})
	if err != nil {
		return err
	}
	for _, name := range seen.Leftover {
		i.note("%s %s is left over from a former trial, unless one runs now: DROP DATABASE %s", i.streams.err.doubtful(), name, name)
	}
	report.Add(seen, migration.Catalogue(), options)
	return nil
}

// scratchServer reads --against. No error holds what it leads to.
func (i *invocation) scratchServer(against string) (string, error) {
	kind, where, _ := strings.Cut(against, ":")
	switch kind {
	case "env":
		value := i.getenv(where)
		if value == "" {
			return "", release.WithHint(fmt.Errorf("read --against: the variable %s is not set", where), "put the connection string into it")
		}
		return value, nil
	case "file":
		text, err := os.ReadFile(where) //nolint:gosec // the user names it
		if err != nil {
			return "", fmt.Errorf("read --against: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	default:
		return against, nil
	}
}
