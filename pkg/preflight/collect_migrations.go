package preflight

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Migrations is what was found in the migrations of one database.
type Migrations struct {
	// Findings are without the statements, in which data may stand.
	Findings []migration.Finding
	// Files and Statements count what was judged, Before the files that tell
	// what was there before.
	Files, Before, Statements int
	// Mistakes are what of the Release, or of an acknowledgement in a file,
	// makes no sense; nothing is judged then.
	Mistakes []Mistake
}

// Mistake is what keeps migrations from being judged.
type Mistake struct {
	// Field is that of the Release, "" where Position says more.
	Field    string
	Position *release.Position
	Problem  string
	Remedy   string
}

// judgedMigrations judges the migrations that the Release names, by files alone.
func judgedMigrations(in Inputs) map[string]Fact[Migrations] {
	found := map[string]Fact[Migrations]{}
	for index, database := range in.Release.Spec.Databases {
		if database.Migrations == nil {
			continue
		}
		if in.Document == "" {
			found[database.Name] = notKnown[Migrations](release.WithHint(
				errors.New("the Release was not read from a file, so the migrations that it names are not at hand"), "name its document with -f"))
			continue
		}
		reading := migrationReading{declared: *database.Migrations, field: fmt.Sprintf("spec.database[%d].migrations", index), home: filepath.Dir(in.Document)}
		found[database.Name] = known(reading.judge(slices.Clone(in.Migrations[database.Name])))
	}
	return found
}

// IrreversibleMigrations are the sentences of Report.Irreversible, for whoever
// plans without a report.
func IrreversibleMigrations(in Inputs) []string { return irreversible(judgedMigrations(in)) }

// migrationReading is the way from the field of a Release to what its migrations do.
type migrationReading struct {
	declared release.Migrations
	field    string
	// home is the folder of the document.
	home string
}

func (m migrationReading) judge(paths []string) Migrations {
	version, err := migration.ParseVersion(m.declared.PostgresVersion)
	if err != nil {
		return m.mistaken("postgresVersion", err)
	}
	levels, err := migration.Levels(m.declared.Levels)
	if err != nil {
		return m.mistaken("levels", err)
	}
	if !isDialect(m.declared.Dialect) {
		_, err := dialect.Read(nil, m.declared.Dialect)
		return m.mistaken("dialect", err)
	}
	for index, path := range paths {
		real, err := release.Inside(m.home, path)
		if err != nil {
			return m.mistaken(fmt.Sprintf("paths[%d]", index), err)
		}
		paths[index] = real
	}
	migrations, err := dialect.Read(paths, m.declared.Dialect)
	if err != nil {
		return m.mistaken("paths", err)
	}
	if m.declared.After != "" {
		if err := dialect.After(m.declared.After, migrations); err != nil {
			return m.mistaken("after", err)
		}
	}
	report, err := migration.Evaluate(migrations, migration.Catalogue(), migration.Options{Version: version, Levels: levels, OnlyNamed: m.declared.After != ""})
	if err != nil {
		return m.mistaken("paths", err)
	}
	found := Migrations{Findings: report.Findings, Files: len(report.Files), Before: len(report.Context), Statements: report.Statements}
	for index := range found.Findings {
		found.Findings[index].Statement = ""
	}
	return found
}

// isDialect reports whether a name is one of a dialect, or is left out.
func isDialect(name string) bool {
	return name == "" || slices.Contains(dialect.Names(), name)
}

// mistaken is nothing judged, because of a field or of problems in the files.
func (m migrationReading) mistaken(field string, err error) Migrations {
	var found Migrations
	var problems release.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			found.Mistakes = append(found.Mistakes, Mistake{Problem: problem.Message, Remedy: problem.Remedy,
				Position: &release.Position{File: problem.File, Line: problem.Line, Column: problem.Column}})
		}
		return found
	}
	found.Mistakes = []Mistake{{Field: m.field + "." + field, Problem: err.Error(), Remedy: release.HintOf(err)}}
	return found
}
