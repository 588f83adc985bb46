package workflows

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// derived is what of a workflow follows from its release.
type derived struct {
	// On is a name, a list or an object.
	On   yaml.Node `yaml:"on"`
	Jobs map[string]struct {
		// Timeout is a number, or an expression.
		Timeout yaml.Node `yaml:"timeout-minutes"`
		Steps   []struct {
			With map[string]yaml.Node `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// Outgrown is what of a workflow, as it is kept and was edited, is not right for its
// release any more: a job that GitHub ends before the release's own deadlines do, a
// path whose push would deploy nothing, a Release of another path. What else was
// changed, longer limits and wider paths among that, is whoever's who changed it, and so
// is a limit that an expression says.
func Outgrown(rel *release.Release, kind Kind, options Options, kept []byte) ([]string, error) {
	text, err := Write(rel, kind, options)
	if err != nil {
		return nil, err
	}
	var want, have derived
	if err := yaml.Unmarshal(text, &want); err != nil {
		return nil, fmt.Errorf("read what was written: %w", err)
	}
	if err := yaml.Unmarshal(kept, &have); err != nil {
		return nil, fmt.Errorf("read workflow: %w", err)
	}
	found := slices.Concat(want.pathsLacking(have), want.jobsLacking(have))
	if !have.judges(options.File) {
		found = append(found, fmt.Sprintf("no step has the input release: %s", options.File))
	}
	return found, nil
}

// pathsLacking are the filters without which a push that changes the release would
// start nothing.
func (d derived) pathsLacking(have derived) []string {
	wanted, kept := d.push().Paths, have.push()
	switch {
	case len(kept.Paths) == 0 && len(kept.Ignored) == 0: // every push starts it, or none does, as somebody chose
		return nil
	case len(wanted) == 0 && len(kept.Paths) > 0:
		return []string{"on.push.paths has to go: which pushes change the release can't be told"}
	}
	var found []string
	for _, path := range wanted {
		switch {
		case len(kept.Paths) > 0 && !takes(kept.Paths, path):
			found = append(found, fmt.Sprintf("on.push.paths lacks %q", path))
		case takes(kept.Ignored, path):
			found = append(found, fmt.Sprintf("on.push.paths-ignore leaves out %q", path))
		}
	}
	return found
}

// takes reports whether filters take all that another one does, of which the last that
// says something of it counts.
func takes(kept []string, wanted string) bool {
	taken := false
	for _, filter := range kept {
		filter, not := strings.CutPrefix(filter, "!")
		folder, wide := strings.CutSuffix(filter, "**")
		if filter == wanted || wide && (folder == "" || strings.HasSuffix(folder, "/")) && strings.HasPrefix(wanted, folder) {
			taken = !not
		}
	}
	return taken
}

// jobsLacking are the jobs that aren't there, and those that are too short.
func (d derived) jobsLacking(have derived) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(d.Jobs)) {
		job, there := have.Jobs[name]
		limit, told := minutes(job.Timeout)
		switch needed, _ := minutes(d.Jobs[name].Timeout); {
		case !there:
			found = append(found, fmt.Sprintf("there is no job %s", name))
		case told && limit < needed:
			found = append(found, fmt.Sprintf("job %s ends after %v minutes, and by the deadlines of the release it may take longer: timeout-minutes: %v", name, limit, needed))
		}
	}
	return found
}

// minutes is a limit, GitHub's own of a job that says nothing. It is not told by what is
// no number.
func minutes(limit yaml.Node) (count float64, told bool) {
	if limit.IsZero() {
		return longest, true
	}
	return count, limit.Decode(&count) == nil
}

// pushFilters are those of the pushes that start a workflow.
type pushFilters struct {
	Paths   []string `yaml:"paths"`
	Ignored []string `yaml:"paths-ignore"`
}

func (d derived) push() pushFilters {
	var on struct {
		Push pushFilters `yaml:"push"`
	}
	if err := d.On.Decode(&on); err != nil {
		return pushFilters{} // a name or a list has none
	}
	return on.Push
}

// judges reports whether a step is given a path as that of the Release.
func (d derived) judges(file string) bool {
	for _, job := range d.Jobs {
		for _, step := range job.Steps {
			if given := step.With["release"]; path.Clean(given.Value) == file {
				return true
			}
		}
	}
	return false
}
