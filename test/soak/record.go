package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// outcome is one attempt at one part of a soak.
type outcome struct {
	Part   string        `json:"part"`
	Passed bool          `json:"passed"`
	Detail string        `json:"detail"`
	Took   time.Duration `json:"took"`
	// Thresholds are what an A/A run found, nil for every other part.
	Thresholds *thresholds `json:"thresholds,omitempty"`
	// Case is what was killed, Driver the kind of route, and Of how many cases
	// that has; nil, "" and 0 for every other part.
	Case   *crash.Case `json:"case,omitempty"`
	Driver string      `json:"driver,omitempty"`
	Of     int         `json:"of,omitempty"`
	// Fault is what was broken, and Stretch in which part of a run; "" for
	// every other part.
	Fault   string `json:"fault,omitempty"`
	Stretch string `json:"stretch,omitempty"`
	// Heat: it is some races. Slept is in how many a process was put to sleep,
	// and Overtaken in how many its run was taken over.
	Heat      bool `json:"heat,omitempty"`
	Slept     int  `json:"slept,omitempty"`
	Overtaken int  `json:"overtaken,omitempty"`
	// Refused: one new connection was refused in this kill or fault.
	Refused bool `json:"refused,omitempty"`
	// Missed: no try came to where it was to be killed, and each ended well.
	Missed bool `json:"missed,omitempty"`
	// Commit is where the attempt was made.
	Commit string `json:"commit,omitempty"`
}

// record is what was done with one state of the code, a line of JSON each.
type record struct {
	Commit string
	// path is "" where nothing can be kept: what passed before the next
	// change of the code is no result for it.
	path     string
	Outcomes []outcome
	// Earlier is what was last done with other code, of the parts that were
	// not done again with this.
	Earlier []outcome
}

// openRecord reads what an earlier start has done with this code. Documents are
// none: a commit that changes nothing else is told apart by nothing.
func openRecord(ctx context.Context, folder string) (*record, error) {
	commit, err := git(ctx, "describe", "--tags", "--always")
	if err != nil {
		return nil, err
	}
	changes, err := git(ctx, "status", "--porcelain", "--", ":(top)", ":(top,exclude,glob)**/*.md")
	if err != nil {
		return nil, err
	}
	if changes != "" {
		fmt.Println("the tree has changes that are not committed: everything is done anew, and nothing of it is kept")
		return &record{Commit: commit + "-dirty"}, nil
	}
	files, err := git(ctx, "ls-tree", "-r", "--full-tree", "HEAD")
	if err != nil {
		return nil, err
	}
	return readRecord(commit, codeOf(files), folder)
}

// codeOf names a state of the code, by what git lists of it.
func codeOf(files string) string {
	sum := sha256.New()
	for line := range strings.Lines(files) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, ".md") {
			fmt.Fprintln(sum, line)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// git is the output of one git command.
func git(ctx context.Context, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("read commit: git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(output)), nil
}

// readRecord reads the record of a state of the code, empty where there is
// none. A folder of "" is the user's cache.
func readRecord(commit, code, folder string) (*record, error) {
	kept := &record{Commit: commit}
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find a folder for the record: %w", err)
		}
		folder = filepath.Join(cache, "kubectl-bluegreen", "soak")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("keep record: %w", err)
	}
	kept.path = filepath.Join(folder, code+extension)
	if err := cutOff(kept.path); err != nil {
		return nil, fmt.Errorf("read record %s: %w", kept.path, err)
	}
	if err := kept.reload(); err != nil {
		return nil, err
	}
	var err error
	if kept.Earlier, err = readOthers(folder, kept.path); err != nil {
		return nil, fmt.Errorf("read records of %s: %w", folder, err)
	}
	return kept, nil
}

// extension is that of a record.
const extension = ".jsonl"

// readOthers reads what all other records have of each part last.
func readOthers(folder, own string) ([]outcome, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*"+extension))
	if err != nil {
		return nil, err
	}
	modified := map[string]time.Time{}
	for _, path := range paths {
		status, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		modified[path] = status.ModTime()
	}
	slices.SortFunc(paths, func(a, b string) int { return modified[a].Compare(modified[b]) })
	var last []outcome
	for _, path := range paths {
		if path == own {
			continue
		}
		others, err := readOutcomes(path)
		if err != nil {
			return nil, err
		}
		for _, found := range others {
			last = append(slices.DeleteFunc(last, func(earlier outcome) bool { return earlier.Part == found.Part }), found)
		}
	}
	return last, nil
}

// cutOff takes a last line without its end off a file: it was cut off as it was
// written, and the next one has to stand on its own.
func cutOff(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if whole := wholeLines(text); err == nil && len(whole) < len(text) {
		err = os.Truncate(path, int64(len(whole)))
	}
	return err
}

// wholeLines are the lines that have their end.
func wholeLines(text []byte) []byte { return text[:bytes.LastIndexByte(text, '\n')+1] }

// readOutcomes reads the whole lines of a file, none where there is none.
func readOutcomes(path string) ([]outcome, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var outcomes []outcome
	for line := range bytes.Lines(wholeLines(text)) {
		found := outcome{}
		if err := json.Unmarshal(line, &found); err != nil {
			return nil, err
		}
		outcomes = append(outcomes, found)
	}
	return outcomes, nil
}

// done reports whether a part has passed; one that failed is done again.
func (r *record) done(part string) bool {
	return slices.ContainsFunc(r.Outcomes, func(found outcome) bool { return found.Part == part && found.Passed })
}

// thresholds are those of the A/A run that the kept releases were judged by.
func (r *record) thresholds() (thresholds, bool) {
	for _, found := range r.Outcomes {
		if found.Passed && found.Thresholds != nil {
			return *found.Thresholds, true
		}
	}
	return thresholds{}, false
}

// add keeps one outcome.
func (r *record) add(found outcome) error {
	found.Commit = r.Commit
	if err := r.keep(found); err != nil {
		return fmt.Errorf("keep %s: %w", found.Part, err)
	}
	r.Outcomes = append(r.Outcomes, found)
	fmt.Printf("%-28s %-6s %8s  %s\n", found.Part, word(found.Passed), found.Took.Round(time.Second), found.Detail)
	return nil
}

// reload reads the file again: several programs may add to it side by side.
func (r *record) reload() error {
	if r.path == "" {
		return nil
	}
	outcomes, err := readOutcomes(r.path)
	if err != nil {
		return fmt.Errorf("read record %s: %w", r.path, err)
	}
	r.Outcomes = outcomes
	return nil
}

// keep appends one line to the file.
func (r *record) keep(found outcome) error {
	if r.path == "" {
		return nil
	}
	line, err := json.Marshal(found)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// verdict is an error that names the parts whose last attempt failed, the races
// where too few were taken over, and the kills and the faults in which a new
// connection was refused where those are more than a suite may have.
func (r *record) verdict() error {
	return errors.Join(r.unpassed(), tooFewTakenOver(r.Outcomes), refusals(ofKind(r.Outcomes, killKind)).Err(), refusals(ofKind(r.Outcomes, faultKind)).Err())
}

// unpassed is an error that names the parts whose last attempt failed. One that missed
// its point is told in its table.
func (r *record) unpassed() error {
	var failed []string
	for position, found := range r.Outcomes {
		again := slices.ContainsFunc(r.Outcomes[position+1:], func(later outcome) bool { return later.Part == found.Part })
		if !found.Passed && !found.Missed && !again {
			failed = append(failed, found.Part)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d parts failed: %s", len(failed), strings.Join(failed, ", "))
	}
	return nil
}

// word is a verdict for people.
func word(passed bool) string {
	if passed {
		return "passed"
	}
	return "FAILED"
}

// explained says how to read the table.
const explained = `A/A is both colours at one version and under the same load. It passes when nobody loses a request, both are read all the
time, and both stay below what the release's own rules call healthy; then twice its worst latency, 800 ms at the least,
is what a release is rolled back for. Nothing is judged on a machine where it fails. A healthy release passes when the
shift ends as done and no client loses a request. A kill passes when the run converges and nobody notices; of each kind of
route the title says how many cases were tried, of all that there are (each point of a run, before and after it lands, gone
on with by a resume and by a rollback), since they may be a selection or a shard. "–" in a table is a case that was not, and
"missed" one of which three tries ended well by another way, that does not come to the point: it is no result.
In a race a process that woke in time slept for less than the others had to wait before they may believe that it is gone;
one that was missed stood before their eyes for longer, and more than one of ten is a failure, and so is a rival by whom
fewer than a third of all that slept were taken over.
`

// document is docs/soak.md. It shows every attempt, those that failed and were
// made again too.
func document(kept *record) string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "# Soak\n\n<!-- written by make soak -->\n\nCommit %s, %s; what was not done again since is told with the commit at which it was.\n\n"+explained+
		"\n| Part | Verdict | Took | Commit | |\n|---|---|---|---|---|\n", kept.Commit, time.Now().UTC().Format(time.DateOnly))
	shown := kept.shown()
	for _, outcome := range shown {
		if kind := outcome.kind(); kind == killKind || kind == faultKind { // which have tables of their own
			continue
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", outcome.Part, word(outcome.Passed), outcome.Took.Round(time.Second), outcome.Commit, outcome.Detail)
	}
	return text.String() + killTables(shown) + faultTable(shown)
}

// shown are all attempts with this code, behind what was last done of all other
// parts with earlier code. Races, kills of a kind of route, and faults are shown of
// this code alone as soon as there is one: there are hundreds, and their names
// change with what they are about.
func (r *record) shown() []outcome {
	shown := slices.DeleteFunc(slices.Clone(r.Earlier), func(earlier outcome) bool {
		return slices.ContainsFunc(r.Outcomes, func(found outcome) bool {
			return found.Part == earlier.Part || found.kind() != "" && found.kind() == earlier.kind() && found.Driver == earlier.Driver
		})
	})
	return append(shown, r.Outcomes...)
}

// The kinds of which there are hundreds.
const (
	killKind  = "kill"
	faultKind = "fault"
	raceKind  = "race"
)

// kind is one of those, "" for every other part.
func (o outcome) kind() string {
	switch {
	case o.Case != nil:
		return killKind
	case o.Fault != "":
		return faultKind
	case o.Heat:
		return raceKind
	}
	return ""
}

// ofKind are the outcomes of a kind.
func ofKind(outcomes []outcome, kind string) []outcome {
	return slices.DeleteFunc(slices.Clone(outcomes), func(found outcome) bool { return found.kind() != kind })
}

// commits are those at which attempts were made, each once, in order.
func commits(outcomes []outcome) string {
	var all []string
	for _, found := range outcomes {
		if !slices.Contains(all, found.Commit) {
			all = append(all, found.Commit)
		}
	}
	return strings.Join(all, ", ")
}
