package action

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/action/identity"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// token mints the job's own token for an audience and writes it as what client-go
// reads from a credential plugin. So a kubeconfig names this program, and the
// engine finds itself (see plugin.Environment.Programs):
//
//	users:
//	- name: github
//	  user:
//	    exec:
//	      apiVersion: client.authentication.k8s.io/v1
//	      command: bluegreen-action
//	      args: [token, AUDIENCE]
//	      interactiveMode: Never
func token(ctx context.Context, environment Environment, audience string) int {
	getenv := func(name string) string {
		value, _ := environment.Plugin.LookupEnv(name)
		return value
	}
	credential, err := identity.Mint(ctx, getenv, environment.Transport, audience)
	if err == nil {
		err = json.NewEncoder(environment.Log).Encode(credential)
	}
	if err != nil {
		fmt.Fprintf(environment.Complaints, "error: %v\n", err)
		if hint := release.HintOf(err); hint != "" {
			fmt.Fprintf(environment.Complaints, "hint: %s\n", hint)
		}
		return plugin.ExitFailed
	}
	return plugin.ExitDone
}
