package action

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// mostEvent bounds what is read of the event, in bytes. GitHub's payloads stay
// under 25 MB.
const mostEvent = 32 << 20

// surroundings are what the runner says about the step. What it does not say is
// empty.
type surroundings struct {
	event, repository, sha, workspace, temp string
	api, server, runID                      string
	workflow, job                           string
	// output, state and summary are the files that the runner reads.
	output, state, summary string
	// runner: a runner reads what is written.
	runner bool
	// windows: paths are those of Windows.
	windows bool
	// pull is the number of the pull request, 0 for none; fork says that it comes
	// from another repository.
	pull int
	fork bool
	// unread says why the event can't be read, "" where it was.
	unread string
}

func surroundingsOf(getenv func(string) string) surroundings {
	found := surroundings{
		event: getenv("GITHUB_EVENT_NAME"), repository: getenv("GITHUB_REPOSITORY"), sha: getenv("GITHUB_SHA"),
		workspace: getenv("GITHUB_WORKSPACE"), temp: getenv("RUNNER_TEMP"),
		api: getenv("GITHUB_API_URL"), server: getenv("GITHUB_SERVER_URL"), runID: getenv("GITHUB_RUN_ID"),
		workflow: getenv("GITHUB_WORKFLOW"), job: getenv("GITHUB_JOB"),
		output: getenv("GITHUB_OUTPUT"), state: getenv("GITHUB_STATE"), summary: getenv("GITHUB_STEP_SUMMARY"),
		runner: getenv("GITHUB_ACTIONS") == "true", windows: getenv("RUNNER_OS") == "Windows",
	}
	if !ofPullRequest(found.event) {
		return found
	}
	if err := found.readEvent(getenv("GITHUB_EVENT_PATH")); err != nil {
		found.unread = err.Error()
	}
	return found
}

// readEvent finds the pull request in the payload of an event.
func (s *surroundings) readEvent(path string) error {
	if path == "" {
		return fmt.Errorf("GITHUB_EVENT_PATH is not set")
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read GITHUB_EVENT_PATH: %w", err)
	}
	defer file.Close()
	payload := struct {
		PullRequest struct {
			Number int `json:"number"`
			Head   struct {
				Repository struct {
					FullName string `json:"full_name"`
				} `json:"repo"`
			} `json:"head"`
		} `json:"pull_request"`
	}{}
	if err := json.NewDecoder(io.LimitReader(file, mostEvent)).Decode(&payload); err != nil {
		return fmt.Errorf("read GITHUB_EVENT_PATH: %w", err)
	}
	s.pull = payload.PullRequest.Number
	s.fork = payload.PullRequest.Head.Repository.FullName != s.repository
	return nil
}

// link is the page of the workflow's run, "" where it isn't known.
func (s surroundings) link() string {
	if s.server == "" || s.repository == "" || s.runID == "" {
		return ""
	}
	return s.server + "/" + s.repository + "/actions/runs/" + s.runID
}

// within is a path as annotations want it: with slashes, relative to the checkout
// where it lies in that.
func (s surroundings) within(path string) string {
	root := s.workspace
	if s.windows {
		path, root = strings.ReplaceAll(path, `\`, "/"), strings.ReplaceAll(root, `\`, "/")
	}
	root = strings.TrimRight(root, "/") + "/"
	switch {
	case root == "/":
	case strings.HasPrefix(path, root):
		path = path[len(root):]
	case s.windows && len(path) > len(root) && strings.EqualFold(path[:len(root)], root): // D:\a and d:\A are one folder there
		path = path[len(root):]
	}
	for strings.HasPrefix(path, "./") {
		path = strings.TrimLeft(path[2:], "/")
	}
	return path
}
