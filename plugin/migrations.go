package plugin

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const migrationsLong = `Say of each migration whether it is safe while both versions run, and after a
rollback. Only files are read: no database, no cluster.

With --against they are also applied, in a scratch database that is made and
dropped: what PostgreSQL really locks, writes anew and refuses is told beside
what was read, and which of the old version's queries (--queries) break.

Files that are named, and those that changed since a commit (--since), are
judged as one release; the other files of a folder tell what was there before.
Of a folder alone, each file is judged as a release of its own. What the rules
are, and how to acknowledge a finding in the file: docs/migrations.md.

The exit code is 2 when something blocks, whatever -o.`

const migrationsExample = `  # on a pull request
  kubectl bluegreen db migrations db/migrations --since origin/main

  # one file, and the folder for what was there before it
  kubectl bluegreen db migrations db/migrations db/migrations/0042_currency.sql

  # a role sets lock_timeout, so no file has to
  kubectl bluegreen db migrations db/migrations --level lock-timeout=off`

// migrationsFlags are the flags of db migrations.
type migrationsFlags struct {
	output  output
	dialect string
	since   string
	version string
	levels  []string
	// against, schema and queries are of a trial in a scratch database.
	against string
	schema  string
	queries string
}

func newMigrations(call *invocation) *cobra.Command {
	flags := &migrationsFlags{}
	command := &cobra.Command{
		Use:     "migrations PATH...",
		Short:   "Say whether migrations are safe for both versions",
		Long:    migrationsLong,
		Example: migrationsExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, "migrations needs the path of a file or a folder")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.migrations(cmd.Context(), flags, args)
		},
	}
	flags.output.addFlag(command)
	command.Flags().StringVar(&flags.dialect, "dialect", "", "the tool whose files they are, one of "+strings.Join(dialect.Names(), ", ")+"; without it found out by the files")
	command.Flags().StringVar(&flags.since, "since", "", "judge what git says was changed since this commit, and nothing else")
	command.Flags().StringVar(&flags.version, "postgres-version", "", "the version of PostgreSQL, such as 16 or 14.2; without it what goes wrong on any from 12 to 18 counts")
	command.Flags().StringSliceVar(&flags.levels, "level", nil, "what a rule's findings do: RULE=block, RULE=warn or RULE=off; may be given again")
	command.Flags().StringVar(&flags.against, "against", "", "also apply them in a scratch database, made and dropped there: env:NAME or file:PATH of a connection string, or the string itself")
	command.Flags().StringVar(&flags.schema, "schema", "", "with --against, apply this file first: the schema that was there before")
	command.Flags().StringVar(&flags.queries, "queries", "", "with --against, try the old version's queries in this file before and after")
	complete(command, "dialect", dialect.Names()...)
	return command
}

func (i *invocation) migrations(ctx context.Context, flags *migrationsFlags, paths []string) error {
	if err := flags.output.validate(); err != nil {
		return err
	}
	if flags.against == "" && flags.schema+flags.queries != "" {
		return release.WithHint(errors.New("--schema and --queries say nothing without --against"), "name the server to try them on: --against env:NAME")
	}
	options, err := flags.options()
	if err != nil {
		return err
	}
	migrations, err := dialect.Read(paths, flags.dialect)
	if err != nil {
		return err
	}
	if options.OnlyNamed {
		if err := dialect.Since(ctx, flags.since, migrations); err != nil {
			return err
		}
	}
	report, err := migration.Evaluate(migrations, migration.Catalogue(), options)
	if err != nil {
		return err
	}
	if flags.against != "" {
		if err := i.tryMigrations(ctx, flags, migrations, report, options); err != nil {
			return err
		}
	}
	return i.printMigrations(&flags.output, report)
}

func (f *migrationsFlags) options() (migration.Options, error) {
	version, err := migration.ParseVersion(f.version)
	if err != nil {
		return migration.Options{}, err
	}
	levels, err := migration.Levels(f.levels)
	if err != nil {
		return migration.Options{}, err
	}
	return migration.Options{Version: version, Levels: levels, OnlyNamed: f.since != ""}, nil
}

// printMigrations prints the report, and says by the exit code whether it blocks.
func (i *invocation) printMigrations(output *output, report *migration.Report) error {
	value := object{Kind: migration.KindReport, Name: report.Name, Value: report}
	err := output.print(i.streams, value, func() error {
		migrationsView{out: i.streams.Out, style: i.streams.out, wide: output.wide()}.report(report)
		return nil
	})
	if err != nil {
		return err
	}
	if report.Blocked() {
		i.printNext(name + " explain " + report.FirstBlocking())
		return &StatusError{Status: ExitBlocked}
	}
	return nil
}
