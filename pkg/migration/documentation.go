package migration

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
)

// DocsPath is a rule's part of the documentation.
func DocsPath(rule Rule) string { return "docs/migrations.md#" + rule.ID }

// Document writes docs/migrations.md from the rules. It is pure; a test keeps
// the file current with it.
func Document(rules []Rule) string {
	var text strings.Builder
	fmt.Fprintf(&text, introduction, strings.Join(dialect.Names(), "`, `"))
	for _, class := range []Class{BreaksAtOnce, BreaksLater, MakesWait, NeedsReview} {
		fmt.Fprintf(&text, "\n## %s: %s\n\n| Rule | A migration that | Level |\n|---|---|---|\n", class, class.Meaning())
		for _, rule := range rules {
			if rule.Class == class {
				fmt.Fprintf(&text, "| [%s](#%s) | %s | %s |\n", rule.ID, rule.ID, rule.Title, rule.DefaultLevel())
			}
		}
	}
	fmt.Fprintf(&text, "\n## The rules\n\nThe examples are about this database; each one of a rule that blocks is run on PostgreSQL by a test.\n\n```sql\n%s```\n", ExampleSchema)
	for _, rule := range rules {
		text.WriteString(section(rule))
	}
	return text.String()
}

const introduction = `# Migrations

<!-- Written by pkg/migration from the rules themselves. To renew it: go test ./pkg/migration -run TestDocument -update -->

Both colours use one database, so a migration is applied to the version that is live as well, and stays when the release
goes back. ` + "`kubectl bluegreen db migrations PATH…`" + ` reads migrations and says of each statement whether the old version
can live with it: while both run, and after a rollback. It needs no database and no cluster, and connects to nothing, unless
` + "`--against`" + ` says so.

` + "```console" + `
$ kubectl bluegreen db migrations db/migrations --since origin/main
$ kubectl bluegreen db migrations db/migrations db/migrations/0042_currency.sql --postgres-version 16
` + "```" + `

**What is judged.** The files that are named, or those that git says were changed since a commit (` + "`--since`" + `), are one
release: what they make, the old version doesn't know, so they may lock and change it freely. The other files of a folder
that is named too are only read, to know the types, proofs and names that were there before. Of a folder alone nobody can say which
migrations were applied, so each file is judged as a release of its own. What IF NOT EXISTS makes, or a branch of
code (IF, CASE, a loop, a block with EXCEPTION), may have been there, so it is the old version's too, unless the migrations that were
read drop it before, or make its whole table without it. Where they never speak of a table before CREATE TABLE IF NOT EXISTS, what a
new table gets (indexes, constraints, policies) warns at most; what changes its columns or drops it does not.

**Classes.** BI and L block (exit code 2), RB and R warn. ` + "`--level RULE=block|warn|off`" + ` sets another level.

**Dialects.** ` + "`%s`" + `: found out by the files themselves, or chosen with ` + "`--dialect`" + `. They decide the order,
what is up and what is down, and what one transaction holds.

**Acknowledging.** A comment before a statement, in it, or behind it on its last line lets a finding stand. It needs a
reason, and the reason shows in every report; a comment without one is an error.

` + "```sql" + `
-- bluegreen:allow drop-column nothing has named it since release 41, and 40 can't come back
ALTER TABLE orders DROP COLUMN note;
` + "```" + `

**Versions.** Rules hold for PostgreSQL 12 to 18; where they differ, ` + "`--postgres-version`" + ` decides, and without it what any
of them does wrong counts.

**What can't be read** is told, for that statement alone, and blocks ([unread](#unread)). Static SQL in ` + "`DO`" + ` and in the
functions that a migration makes and calls is read and judged where it stands. Of one statement at most 50 findings of a rule are
told; the last one says how many more there are.

**Secrets.** A finding shows a statement without what its string constants hold (` + "`'…'`" + `): a password, a connection string, a
text that is executed. Only the default, the CHECK, or the USING that calls no function, of what to run instead is written out.

**Against a server.** With ` + "`--against`" + ` the migrations are also applied, in a scratch database that is made on that server and
dropped again, also after an error or an interrupt; where that fails its name is told. ` + "`--schema FILE`" + ` is applied first; what a
folder holds besides the release is applied before it too. The connection string comes from a variable or a file, so that no list of
processes shows it, and is never printed:

` + "```console" + `
$ kubectl bluegreen db migrations db/migrations --since origin/main --against env:SCRATCH_URL --queries db/queries.sql
` + "```" + `

SQL of a pull request may do what its role may. So a role is refused that is a superuser, or could become one, that may run
programs or read or write files of the server, that may make roles, or that owns another database:
` + "`CREATE ROLE bluegreen_scratch LOGIN CREATEDB`" + ` makes one that will do. Every statement is bounded by a lock_timeout, a
statement_timeout and from the client.

Of each statement is told which locks that make others wait it, or its transaction so far, held of tables of the old version, before
that was committed, and which of them it wrote anew. A statement that runs outside of transactions is looked at while it runs,
every 2 ms, so a lock that it holds for less may be missed. What PostgreSQL refuses is a finding ([refused](#refused)), and so is a rewrite
that reading had not found. A finding of reading stands whatever was seen: a scratch database has no traffic and little data.

` + "`--queries`" + ` names queries of the old version, separated by semicolons or named as sqlc names them (` + "`-- name: GetOrder :one`" + `). Each
is prepared, and executed with made-up values in a transaction that is rolled back, before the migrations and after them, both anew and as it was
prepared before. One that fails otherwise than before is a finding at its line ([query-breaks](#query-breaks)); one that never
worked is one too ([query-untried](#query-untried)), and so is that none was tried after a migration that was refused. Macros such as ` + "`sqlc.arg`" + ` and ` + "`@name`" + ` are not PostgreSQL's, so write $1. They run as the same role, so
what a REVOKE breaks is not seen.

**In a release.** ` + "`spec.database[].migrations`" + ` of [the Release](release.md#migrations) names its migrations; check
[BG-DB-08](checks/BG-DB-08.md) judges them on a pull request and before a shift. A finding of class RB that no file acknowledges
also makes the run freeze instead of going back by itself. [missing-down](#missing-down) does not: traffic goes back without it.

**What reading does not look at**: what the old version's queries really are, how large a table is, and what a type or function
does that no migration here has made. A type that is not known is taken to be no domain with a check.
`

func section(rule Rule) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n### %s\n\n%s, %s. A migration that %s.\n\n%s\n\nInstead: %s.\n", rule.ID, rule.Class, rule.DefaultLevel(), rule.Title, rule.Why, rule.Remedy)
	if rule.Bad != "" {
		fmt.Fprintf(&text, "\n```sql\n-- bad\n%s\n```\n\n```sql\n-- good\n%s\n```\n", rule.Bad, rule.Good)
	}
	if rule.Old != "" {
		fmt.Fprintf(&text, "\nThe old version runs `%s`.\n", rule.Old)
	}
	fmt.Fprintf(&text, "\nFrom: %s.\n", rule.Source)
	return text.String()
}
