package loki

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// patience is how long a Loki may take to start, and to answer what was pushed.
const patience = 2 * time.Minute

// configuration is of a Loki that keeps everything in a folder, as one process,
// and asks for a tenant. What would tell its makers of its use is off.
const configuration = `auth_enabled: true
server: {http_listen_address: 127.0.0.1, http_listen_port: %d, grpc_listen_address: 127.0.0.1, grpc_listen_port: %d, log_level: error}
common:
  instance_addr: 127.0.0.1
  path_prefix: %s
  storage: {filesystem: {chunks_directory: %[3]s/chunks, rules_directory: %[3]s/rules}}
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
schema_config: {configs: [{from: 2020-10-24, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]}
ingester: {lifecycler: {min_ready_duration: 0s}}
frontend_worker: {frontend_address: "127.0.0.1:%[2]d"}
analytics: {reporting_enabled: false}
`

// tenant is whose streams are pushed.
const tenant = "shop"

// server is a Loki that runs.
type server struct {
	t       *testing.T
	address string
	stop    func()
}

// start starts one. It ends with the test.
func start(t *testing.T) *server {
	t.Helper()
	paths, err := programs.Build(t.Context(), os.Stderr, programs.Loki())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	port := freePort(t)
	file := filepath.Join(folder, "loki.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, port, freePort(t), folder), 0o600); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	command := exec.Command(paths["loki"], "-config.file="+file)
	command.Stdout, command.Stderr, command.Dir = &output, &output, folder
	endWithParent(command)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	stop := func() { _ = command.Process.Kill(); <-ended }
	t.Cleanup(stop)
	running := &server{t: t, address: "http://127.0.0.1:" + strconv.Itoa(port), stop: stop}
	running.await("that Loki is ready", func() bool {
		select {
		case <-ended:
			t.Fatalf("loki has ended:\n%s", output.String())
		default:
		}
		response, err := http.Get(running.address + "/ready")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return running
}

// await waits for something.
func (s *server) await(what string, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("waited %s in vain for %s", patience, what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// push sends a line of a stream, as a collector does.
func (s *server) push(labels map[string]string, written time.Time, line string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{
		"stream": labels, "values": [][]string{{strconv.FormatInt(written.UnixNano(), 10), line}}}}})
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.address+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Scope-OrgID", tenant)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		s.t.Fatalf("the line is answered with status %d", response.StatusCode)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
