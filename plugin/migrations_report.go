package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
)

// migrationsView writes what was found in migrations for people: a line a
// finding, what breaks by it, and what to do instead.
type migrationsView struct {
	out   io.Writer
	style style
	// wide also shows the statement, and which files were only read.
	wide bool
}

func (v migrationsView) report(report *migration.Report) {
	for _, finding := range report.Findings {
		v.finding(finding)
	}
	if v.wide && len(report.Context) > 0 {
		fmt.Fprintf(v.out, "%s\n\n", v.style.in(dim, "read, not judged: "+plain(strings.Join(report.Context, ", "))))
	}
	if report.Trial != nil {
		v.trial(report.Trial)
	}
	v.summary(report)
}

// trial says what PostgreSQL did, statement by statement.
func (v migrationsView) trial(trial *migration.Trial) {
	fmt.Fprintf(v.out, "applied by PostgreSQL %s in a scratch database; what makes others wait:\n", plain(trial.Server))
	quiet := true
	for _, observed := range trial.Statements {
		if said := observed.String(); said != "" {
			quiet = false
			fmt.Fprintf(v.out, "  %s:%d:%d %s\n", plain(observed.File), observed.Line, observed.Column, plain(said))
		}
	}
	if quiet {
		fmt.Fprintln(v.out, "  nothing")
	}
	if trial.Queries > 0 {
		after := fmt.Sprintf("%d broken", len(trial.Broken))
		if trial.Refused != "" {
			after = fmt.Sprintf("not tried after the migrations: %s was refused", plain(trial.Refused))
		}
		fmt.Fprintf(v.out, "%s of the old version: %d executed, the others prepared; %s\n", counted(trial.Queries, "query"), trial.Executed, after)
	}
	fmt.Fprintln(v.out)
}

func (v migrationsView) finding(finding migration.Finding) {
	mark := v.style.doubtful()
	switch {
	case finding.Acknowledged != "":
		mark = v.style.in(dim, "-")
	case finding.Blocks():
		mark = v.style.bad()
	}
	fmt.Fprintf(v.out, "%s %s:%d:%d %s %s: %s\n", mark, plain(finding.File), finding.Line, finding.Column,
		v.style.in(bold, finding.Rule), finding.Class, plain(finding.Problem))
	if v.wide {
		fmt.Fprintf(v.out, "    %s\n", v.style.in(dim, plain(finding.Statement)))
	}
	if finding.Observed != "" {
		fmt.Fprintf(v.out, "    seen: %s\n", plain(finding.Observed))
	}
	if finding.Acknowledged != "" {
		fmt.Fprintf(v.out, "    acknowledged: %s\n\n", plain(finding.Acknowledged))
		return
	}
	fmt.Fprintf(v.out, "    %s\n    %s %s\n", plain(finding.Breaks), v.style.in(cyan, v.style.either("→", "->")), plain(finding.Remedy))
	for _, line := range finding.Safe {
		fmt.Fprintf(v.out, "      %s\n", plain(line))
	}
	fmt.Fprintln(v.out)
}

func (v migrationsView) summary(report *migration.Report) {
	blocking, warning, acknowledged := report.Count()
	looked := fmt.Sprintf("%s in %s, PostgreSQL %s", counted(report.Statements, "statement"), counted(len(report.Files), "migration"), versions(report.PostgreSQL))
	tally := fmt.Sprintf("%d block, %d warn, %d acknowledged; %s", blocking, warning, acknowledged, looked)
	switch {
	case len(report.Files) == 0:
		fmt.Fprintf(v.out, "%s no migration was changed\n", v.style.good())
	case report.Blocked():
		fmt.Fprintf(v.out, "%s not safe for both versions (%s)\n", v.style.bad(), tally)
	default:
		fmt.Fprintf(v.out, "%s nothing blocks (%s)\n", v.style.good(), tally)
	}
}

// versions says for which versions of PostgreSQL was judged.
func versions(version string) string {
	if version == "unknown" {
		return "12 to 18"
	}
	return version
}

// counted is a number with its word.
func counted(count int, word string) string {
	if stem, ends := strings.CutSuffix(word, "y"); count != 1 && ends {
		word = stem + "ies"
	} else if count != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", count, word)
}
