package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/runner"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A job logs in as itself: its kubeconfig holds no secret, and names the Action's
// engine, which mints a token whenever the last one ends. A shift lasts longer than
// any of them. No token is told by anybody, and a job that may mint none is told
// what it lacks.
func TestJobLogsInAsItself(t *testing.T) {
	current := infrastructure(t)
	s := open(t, shop.Options{Release: watching(30 * time.Second)})
	s.generatedAccount()
	s.byHand("create", "rolebinding", "job", "--role="+account, "--user="+jobUser)
	s.production(keepAliveClients, freshClients)

	trusted := newIssuer(t)
	if err := current.TrustIssuer(lab.Issuer{URL: trusted.trusted.URL, Certificate: trusted.certificate(), Audience: audience, Prefix: "github:"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := current.TrustNoIssuer(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig := s.keyless()
	minting := []string{"KUBECONFIG=" + kubeconfig, "ACTIONS_ID_TOKEN_REQUEST_URL=" + trusted.minting.URL + "/?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + proof}
	var said strings.Builder
	s.eventually("the API server knows the issuer", func() bool {
		step := s.stepWith(minting, map[string]string{"command": "status"})
		result, err := step.Process().Wait()
		if err != nil {
			t.Fatal(err)
		}
		said.WriteString(result.Stdout + result.Stderr)
		return !strings.Contains(result.Stdout, "refuses the credentials")
	})

	before := len(trusted.tokens())
	step := s.stepWith(minting, map[string]string{"command": "shift"})
	s.tells(step, rollout.CodeDone, "pass")
	s.serves(shop.Green)
	if minted := len(trusted.tokens()) - before; minted < 2 {
		t.Errorf("%d tokens were minted during a shift that lasts longer than one", minted)
	}
	result, err := step.Process().Wait()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := step.Summary()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(trusted.tokens(), proof) {
		if text := said.String() + result.Stdout + result.Stderr + shown; strings.Contains(strings.ReplaceAll(text, "::add-mask::"+secret, ""), secret) {
			t.Error("a token, or what proves the job, is told")
		}
	}

	barred, err := s.stepWith(minting[:1], map[string]string{"command": "status"}).Process().Wait()
	if err != nil || barred.Code != rollout.CodeFailed {
		t.Errorf("without the permission: code %d, %v", barred.Code, err)
	}
	says(t, barred.Stderr, "id-token: write")
}

// keyless is a kubeconfig that holds no secret.
func (s *scenario) keyless() string {
	s.t.Helper()
	config, err := clientcmd.LoadFromFile(place(s.t).Kubeconfig)
	if err != nil {
		s.t.Fatal(err)
	}
	for name := range config.AuthInfos {
		config.AuthInfos[name] = &api.AuthInfo{Exec: &api.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", Command: "bluegreen-action", Args: []string{"token", audience}, InteractiveMode: api.NeverExecInteractiveMode,
		}}
	}
	path := filepath.Join(s.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// stepWith is step with further variables.
func (s *scenario) stepWith(variables []string, inputs map[string]string) *runner.Step {
	s.t.Helper()
	return s.started(runner.Options{Inputs: inputs, Variables: variables})
}
