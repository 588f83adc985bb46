package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLogin has a kubeconfig log in with a program: the engine finds itself, though it
// is not on PATH, and runs nothing else that lies beside it.
func TestLogin(t *testing.T) {
	for program, want := range map[string]string{"bluegreen-action": "Bearer of-this-job", "aws": "Bearer on-path"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			shown := make(chan string, 64)
			cluster := httptest.NewTLSServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
				shown <- request.Header.Get("Authorization")
				http.NotFound(answer, request)
			}))
			defer cluster.Close()
			issuer := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(answer, `{"value": "of-this-job"}`)
			}))
			defer issuer.Close()
			beside, path := t.TempDir(), t.TempDir()
			credentials(t, filepath.Join(beside, "aws"), "planted")
			credentials(t, filepath.Join(path, "aws"), "on-path")
			kubeconfig := filepath.Join(path, "kubeconfig")
			text := fmt.Sprintf(kubeconfigText, cluster.URL, program)
			if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(engineIn(t, beside), "main")
			command.Dir = path
			command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "PATH="+path, "INPUT_COMMAND=status", "INPUT_ARGS=svc/shop",
				"ACTIONS_ID_TOKEN_REQUEST_URL="+issuer.URL+"/?x=y", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=runner")
			log, _ := command.CombinedOutput() // there is nothing to tell the status of
			select {
			case got := <-shown:
				if got != want {
					t.Errorf("logged in with %q, want %q", got, want)
				}
			default:
				t.Errorf("the cluster was not asked:\n%s", log)
			}
		})
	}
}

// kubeconfigText is one for a server and a program to log in with.
const kubeconfigText = `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
contexts: [{name: c, context: {cluster: c, user: github, namespace: store}}]
current-context: c
users:
- name: github
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: %s, args: [token, audience], interactiveMode: Never}
`

// credentials writes a program that logs in with a token.
func credentials(t *testing.T, file, token string) {
	t.Helper()
	text := `#!/bin/sh
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "` + token + `"}}'
`
	if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// engineIn puts the engine, which this test is too by that name, in a folder.
func engineIn(t *testing.T, folder string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	engine := filepath.Join(folder, "bluegreen-action")
	if err := os.Link(self, engine); err == nil {
		return engine
	}
	text, err := os.ReadFile(self) // it lies on another disk
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(engine, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return engine
}
