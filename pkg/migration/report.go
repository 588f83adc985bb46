package migration

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// KindReport is the kind of a Report in -o json and -o yaml.
const KindReport = "MigrationReport"

// Report is what was found in migrations, an output kind.
type Report struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	// PostgreSQL is the version that was judged for, "unknown" for all of
	// those that the rules know.
	PostgreSQL string `json:"postgresql"`
	// Files are the migrations that were judged, in the order of their
	// application; Context are those that were read only to know the schema.
	Files   []File   `json:"files"`
	Context []string `json:"context,omitempty"`
	// Statements counts what was judged.
	Statements int `json:"statements"`
	// Verdict is passed or blocked.
	Verdict  string    `json:"verdict"`
	Findings []Finding `json:"findings"`
	// Trial is what PostgreSQL did, nil where it was not tried.
	Trial *Trial `json:"trial,omitempty"`
}

// File is one migration that was judged.
type File struct {
	Path    string `json:"path"`
	Dialect string `json:"dialect"`
}

// The verdicts.
const (
	VerdictPassed  = "passed"
	VerdictBlocked = "blocked"
)

// Blocked reports whether something stands in the way of a release.
func (r *Report) Blocked() bool { return r.Verdict == VerdictBlocked }

// FirstBlocking is the rule of the first finding that blocks, "" for none.
func (r *Report) FirstBlocking() string {
	for _, finding := range r.Findings {
		if finding.Blocks() {
			return finding.Rule
		}
	}
	return ""
}

// Count is how many findings block, how many warn, and how many the files
// acknowledge.
func (r *Report) Count() (blocking, warning, acknowledged int) {
	for _, finding := range r.Findings {
		switch {
		case finding.Acknowledged != "":
			acknowledged++
		case finding.Blocks():
			blocking++
		default:
			warning++
		}
	}
	return blocking, warning, acknowledged
}

// finish orders the findings as the files are, and says the verdict.
func (r *Report) finish() {
	order := map[string]int{}
	for number, file := range r.Files {
		order[file.Path] = number
	}
	place := func(f Finding) int { // a file of queries comes behind the migrations
		if number, known := order[f.File]; known {
			return number
		}
		return len(order)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	r.Verdict = VerdictPassed
	if slices.ContainsFunc(r.Findings, Finding.Blocks) {
		r.Verdict = VerdictBlocked
	}
	r.TypeMeta = metav1.TypeMeta{APIVersion: release.APIVersion, Kind: KindReport}
	r.Name = "migrations"
}
