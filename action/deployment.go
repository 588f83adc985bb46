package action

import (
	"context"
	"fmt"
	"net/http"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// mostDescription is how many characters the description of a deployment's status
// holds.
const mostDescription = 140

// The states of a deployment.
const (
	inProgress = "in_progress"
	succeeded  = "success"
	fell       = "failure"
	inactive   = "inactive"
)

// deploy makes a deployment of a release and returns its id.
func (c *client) deploy(ctx context.Context, sha string, of release.Metadata) (int64, error) {
	made := struct {
		ID int64 `json:"id"`
	}{}
	err := c.call(ctx, http.MethodPost, "deployments", map[string]any{
		"ref": sha, "environment": of.Namespace + "/" + of.Name, "task": "deploy",
		"description": "kubectl bluegreen", "auto_merge": false, "required_contexts": []string{},
	}, &made)
	return made.ID, err
}

// status tells how a deployment stands. Links that are empty are left out.
func (c *client) status(ctx context.Context, deployment int64, state, description, link, environment string) error {
	body := map[string]any{"state": state, "description": cut(plain(description), mostDescription)}
	if link != "" {
		body["log_url"] = link
	}
	if environment != "" {
		body["environment_url"] = environment
	}
	return c.call(ctx, http.MethodPost, fmt.Sprintf("deployments/%d/statuses", deployment), body, nil)
}

// stateOf is the state of a deployment after a verdict. A run that was blocked has
// deployed nothing, and one that is under way goes on without this step.
func stateOf(verdict string) string {
	switch verdict {
	case passed:
		return succeeded
	case blocked:
		return inactive
	case underWay:
		return inProgress
	}
	return fell
}
