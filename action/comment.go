package action

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// mostComment is how many characters a comment holds, and mostPages how many
// pages of a hundred comments are looked through for our own.
const (
	mostComment = 65536
	mostPages   = 20
)

// comment is one on a pull request.
type comment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
}

// marker is the line that no reader sees and by which the comment of a job is
// found again, one for each Release, which the args may name too. What a workflow
// calls its parts is in it as a hash, for it must not end the line.
func marker(around surroundings, in inputs) string {
	parts := []string{around.workflow, around.job, in.command.name, string(in.stage), in.release}
	parts = append(parts, plugin.Selection(append([]string{in.command.name}, in.args...))...)
	text, _ := json.Marshal(parts) // texts alone
	sum := sha256.Sum256(text)
	return "<!-- bluegreen-action " + hex.EncodeToString(sum[:12]) + " -->"
}

// comment writes the one comment of this job on the pull request, or writes it
// anew where it is there.
func (c *client) comment(ctx context.Context, pull int, marker, text string) error {
	body := map[string]string{"body": cut(marker+"\n"+text, mostComment)}
	mine, err := c.own(ctx, pull, marker)
	if err != nil {
		return err
	}
	if mine == 0 {
		return c.call(ctx, http.MethodPost, fmt.Sprintf("issues/%d/comments", pull), body, nil)
	}
	return c.call(ctx, http.MethodPatch, fmt.Sprintf("issues/comments/%d", mine), body, nil)
}

// own is the id of the comment that was written before, 0 for none. Anybody may
// copy the marker into a comment of their own, and have a bot do so, which is not
// written to: theirs would then seem to say it. Whose the token is is asked where it
// isn't the workflow's own.
func (c *client) own(ctx context.Context, pull int, marker string) (int64, error) {
	logins := map[string]string{"Bot": "", "User": ""}
	for page := range mostPages {
		var comments []comment
		path := fmt.Sprintf("issues/%d/comments?per_page=100&page=%d", pull, page+1)
		if err := c.call(ctx, http.MethodGet, path, nil, &comments); err != nil {
			return 0, err
		}
		for _, one := range comments {
			kind := one.User.Type
			if _, known := logins[kind]; !known || !strings.HasPrefix(one.Body, marker) {
				continue
			}
			if one.User.Login == workflowBot {
				return one.ID, nil
			}
			if logins[kind] == "" {
				logins[kind] = c.login(ctx, kind)
			}
			if one.User.Login == logins[kind] {
				return one.ID, nil
			}
		}
		if len(comments) < 100 {
			return 0, nil
		}
	}
	return 0, nil
}

// workflowBot is whose the token of a workflow is. nobody is no name of a user.
const (
	workflowBot = "github-actions[bot]"
	nobody      = "/"
)

// login is whose the token is, as far as it says so: that of an app says it where
// GraphQL is spoken alone.
func (c *client) login(ctx context.Context, kind string) string {
	user := struct {
		Login string
		Data  struct{ Viewer struct{ Login string } }
	}{}
	var err error
	if kind == "Bot" {
		graph := *c
		graph.base = strings.TrimSuffix(strings.TrimRight(c.base, "/"), "/v3")
		err = graph.call(ctx, http.MethodPost, "/graphql", map[string]string{"query": "{viewer{login}}"}, &user)
	} else {
		err = c.call(ctx, http.MethodGet, "/user", nil, &user)
	}
	if err != nil {
		return nobody
	}
	return cmp.Or(user.Login, user.Data.Viewer.Login, nobody)
}

// comment leaves what a check found on the pull request.
func (s *step) comment(ctx context.Context, summary string) {
	if !s.in.command.staged || s.github == nil || summary == "" {
		return
	}
	if s.around.unread != "" {
		s.notice("no comment is left on the pull request, for it isn't known which that is: %s", s.around.unread)
	}
	if s.around.pull == 0 {
		return
	}
	if link := s.around.link(); link != "" {
		summary += fmt.Sprintf("\n[%s of %s](%s)\n", report.MarkdownText(cmp.Or(s.around.job, "run")), report.MarkdownText(shortened(s.around.sha)), link)
	}
	err := s.github.comment(ctx, s.around.pull, marker(s.around, s.in), within(summary, mostComment-len(marker(s.around, s.in))-1, "the summary of the step"))
	switch {
	case readOnly(err) && s.around.fork:
		s.notice("no comment is left on the pull request, for it comes from a fork, whose token may only read: the summary of the step has all of it")
	case readOnly(err):
		s.notice("no comment is left on the pull request, for the token may not write it (%v): the summary of the step has all of it; permissions: {pull-requests: write} lets it, and token: \"\" asks for none", err)
	case err != nil:
		s.notice("no comment could be left on the pull request: %v; the summary of the step has all of it", err)
	}
}

// shortened is a commit as people write it.
func shortened(sha string) string { return cut(sha, 10)[:min(len(sha), 9)] }
