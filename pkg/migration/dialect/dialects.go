package dialect

import (
	"path"
	"regexp"
	"strings"
)

// file is a file on its way to a migration.
type file struct {
	path string
	text string
	// beside are the names in the file's folder, and read reads a file by its
	// path, "" where there is none.
	beside map[string]bool
	read   func(path string) string
}

func (f file) base() string { return path.Base(f.path) }

// dialect is one tool's way to keep migrations.
type dialect struct {
	name string
	// owns reports whether a file is this tool's.
	owns func(file) bool
	// applies reports whether the file goes up; nil means that each does.
	applies func(file) bool
	// sections cuts the file.
	sections func(file) []Section
	session  bool
}

// The tools' names, as --dialect takes them.
const (
	Plain         = "sql"
	GolangMigrate = "golang-migrate"
	Goose         = "goose"
	Flyway        = "flyway"
	Liquibase     = "liquibase"
	Dbmate        = "dbmate"
	Prisma        = "prisma"
	Atlas         = "atlas"
	Sqitch        = "sqitch"
)

// dialects are all tools, those first whose files can't be mistaken.
func dialects() []dialect {
	return []dialect{
		{name: Goose, owns: marked(`(?m)^\s*--\s*\+goose\s+Up\b`), sections: goose, session: true},
		{name: Dbmate, owns: marked(`(?m)^\s*--\s*migrate:up\b`), sections: dbmate, session: true},
		{name: Liquibase, owns: marked(`(?i)^\s*--\s*liquibase formatted sql`), sections: liquibase, session: true},
		{name: GolangMigrate, owns: called(`\.(up|down)\.sql$`), applies: called(`\.up\.sql$`), sections: golangMigrate, session: true},
		{name: Flyway, owns: called(`^([VU]\d[\d._]*|R)__.*\.sql$`), applies: called(`^[VR]`), sections: flyway, session: true},
		{name: Prisma, owns: called(`^migration\.sql$`), sections: whole(Message), session: true},
		{name: Sqitch, owns: inSqitch, applies: goesUpInSqitch, sections: sqitch},
		{name: Atlas, owns: func(f file) bool { return f.beside["atlas.sum"] }, sections: atlas, session: true},
		{name: Plain, owns: func(file) bool { return true }, sections: whole(Autocommit)},
	}
}

// Names are the dialects that there are.
func Names() []string {
	var names []string
	for _, known := range dialects() {
		names = append(names, known.name)
	}
	return names
}

func marked(pattern string) func(file) bool {
	expression := regexp.MustCompile(pattern)
	return func(f file) bool { return expression.MatchString(f.text) }
}

func called(pattern string) func(file) bool {
	expression := regexp.MustCompile(pattern)
	return func(f file) bool { return expression.MatchString(f.base()) }
}

func whole(transaction Transaction) func(file) []Section {
	return func(f file) []Section { return []Section{{Text: f.text, Transaction: transaction}} }
}

func golangMigrate(f file) []Section {
	down := strings.TrimSuffix(f.path, ".up.sql") + ".down.sql"
	return []Section{{Text: f.text, Transaction: Message, Down: f.read(down), Keeps: true}}
}

func flyway(f file) []Section {
	section := Section{Text: f.text, Transaction: UnlessRefused}
	if strings.Contains(strings.ToLower(f.read(f.path+".conf")), "executeintransaction=false") {
		section.Transaction = Autocommit
	}
	return []Section{section}
}

func atlas(f file) []Section {
	section := Section{Text: f.text, Transaction: Whole}
	if strings.Contains(f.text, "-- atlas:txmode none") {
		section.Transaction = Autocommit
	}
	return []Section{section}
}

// inSqitch reports whether the file is in the deploy, revert or verify folder
// of a plan.
func inSqitch(f file) bool {
	kind := path.Base(path.Dir(f.path))
	return (kind == "deploy" || kind == "revert" || kind == "verify") && f.read(sqitchPlan(f.path)) != ""
}

func goesUpInSqitch(f file) bool { return path.Base(path.Dir(f.path)) == "deploy" }

// sqitchPlan is the plan of a file in one of those folders.
func sqitchPlan(name string) string { return path.Join(path.Dir(path.Dir(name)), "sqitch.plan") }

func sqitch(f file) []Section {
	revert := path.Join(path.Dir(path.Dir(f.path)), "revert", f.base())
	return []Section{{Text: f.text, Transaction: Autocommit, Down: f.read(revert), Keeps: true}}
}
