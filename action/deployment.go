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

// pendingDeployment is a deployment that is being made.
type pendingDeployment struct {
	done chan struct{}
	id   int64
	err  error
}

// deploy makes a deployment of a release while the run goes on, which does not
// wait for GitHub.
func (s *step) deploy(ctx context.Context, of release.Metadata) *pendingDeployment {
	pending := &pendingDeployment{done: make(chan struct{})}
	go func() {
		defer close(pending.done)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellingTime)
		defer cancel()
		if pending.id, pending.err = s.github.deploy(bounded, s.around.sha, of); pending.err != nil {
			return
		}
		s.remember(stateDeployment, fmt.Sprint(pending.id))
		pending.err = s.github.status(bounded, pending.id, inProgress, "the shift goes on", s.around.link(), s.in.environmentURL)
	}()
	return pending
}

// deployed tells how the deployment stands.
func (s *step) deployed(ctx context.Context, seen observed, verdict string) {
	pending := s.deployment
	if pending == nil {
		return
	}
	var err error
	select {
	case <-pending.done:
		err = pending.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		err = s.github.status(ctx, pending.id, stateOf(verdict), describe(seen, verdict), s.around.link(), s.in.environmentURL)
	}
	s.undeployed(err)
}

// undeployed tells why a deployment is not shown as it stands.
func (s *step) undeployed(err error) {
	switch {
	case readOnly(err):
		s.notice("the run is not shown as a deployment, for the token may not write it (%v): permissions: {deployments: write} lets it, and token: \"\" asks for none", err)
	case err != nil:
		s.notice("the deployment could not be told how the run stands: %v", err)
	}
}

// describe is how a run came out, in a few words.
func describe(seen observed, verdict string) string {
	if seen.standing != nil && seen.standing.Message != "" {
		return seen.standing.Message
	}
	return wording(verdict)
}
