package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

func TestServesRecommendationsByVersion(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	blue := startService(t, dsn, "blue", nil)
	green := startService(t, dsn, "green", nil)

	if got := green.send(t, http.MethodPost, "/recommendations", `{"user":"carla","item":"tea","score":0.7}`); got.code != http.StatusCreated {
		t.Fatalf("POST answered %d: %s", got.code, got.body)
	}
	got := blue.get(t, "/recommendations?user=carla")
	if got.code != http.StatusOK || !strings.Contains(got.body, `"item":"tea"`) || !strings.Contains(got.body, `"version":"v2.4.0","color":"blue"`) {
		t.Errorf("GET answered %d: %s", got.code, got.body)
	}
	if got.header.Get("X-Version") != "v2.4.0" || green.get(t, "/").header.Get("X-Version") != "v2.5.0" {
		t.Errorf("X-Version does not tell the colours apart")
	}
	if got := green.send(t, http.MethodPost, "/recommendations", `{"user":""}`); got.code != http.StatusBadRequest {
		t.Errorf("POST of nobody answered %d", got.code)
	}
	for _, color := range []string{"blue", "green"} {
		if sessions(t, dsn, "application_name = 'recommendation-"+color+"'") == 0 {
			t.Errorf("no session is named after %s", color)
		}
	}
	for _, line := range green.logs.lines(t) {
		if line["version"] != "v2.5.0" || line["app_version"] != "v2.5.0" || line["color"] != "green" {
			t.Errorf("log line without version or colour: %v", line)
		}
		if line["level"] != "INFO" {
			t.Errorf("a healthy start logged %v", line)
		}
	}
}

// Two colours whose pools fit alone and not together: PostgreSQL refuses.
func TestTwoWarmPoolsExhaustTheDatabase(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "20", "superuser_reserved_connections": "0"})
	pools := map[string]string{"DB_POOL_SIZE": "12", "DB_POOL_WARM": "true", "FAULT_QUERY_TIME": "300ms"}
	blue := startService(t, dsn, "blue", pools)
	await(t, blue.logs, func() bool {
		return blue.metric(t, `db_pool_connections{color="blue",state="idle",version="v2.4.0"}`) == "12"
	})
	if got := blue.metric(t, `db_connection_errors_total{color="blue",sqlstate="53300",version="v2.4.0"}`); got != "0" {
		t.Errorf("blue alone was refused %s times", got)
	}

	green := startService(t, dsn, "green", pools)
	await(t, green.logs, func() bool {
		return green.metric(t, `db_connection_errors_total{color="green",sqlstate="53300",version="v2.5.0"}`) != "0"
	})
	if !strings.Contains(green.logs.String(), `"sqlstate":"53300"`) {
		t.Errorf("the refusal is not in the log:\n%s", green.logs)
	}
	var refused atomic.Int64
	var requests sync.WaitGroup
	for range 12 {
		requests.Go(func() {
			if got := green.get(t, "/"); got.code == http.StatusServiceUnavailable && strings.Contains(got.body, `"sqlstate":"53300"`) {
				refused.Add(1)
			}
		})
	}
	requests.Wait()
	if refused.Load() == 0 {
		t.Error("no request was answered 503 although the database refuses connections")
	}
	if got := green.metric(t, `http_requests_total{code="503",color="green",method="get",version="v2.5.0"}`); got != strconv.FormatInt(refused.Load(), 10) {
		t.Errorf("%d requests were refused, the metric says %q", refused.Load(), got)
	}
}

func TestHealthFollowsTheDatabaseAndReadinessDoesNot(t *testing.T) {
	database := postgrestest.StartServer(t, nil)
	s := startService(t, database.DSN, "blue", map[string]string{"DB_CONNECT_TIMEOUT": "500ms"})
	if got := s.get(t, "/health"); got.code != http.StatusOK {
		t.Fatalf("/health answered %d: %s", got.code, got.body)
	}
	database.Stop(t)
	if got := s.get(t, "/health"); got.code != http.StatusServiceUnavailable || !strings.Contains(got.body, `"reason":`) {
		t.Errorf("/health without a database answered %d: %s", got.code, got.body)
	}
	if got := s.get(t, "/ready"); got.code != http.StatusOK {
		t.Errorf("/ready without a database answered %d", got.code)
	}
	if got := s.get(t, "/"); got.code != http.StatusServiceUnavailable {
		t.Errorf("/ without a database answered %d", got.code)
	}
	database.Restart(t)
	await(t, s.logs, func() bool { return s.get(t, "/health").code == http.StatusOK })
}

func TestMetricsCountProductionRequestsAlone(t *testing.T) {
	s := startService(t, postgrestest.Start(t, nil), "green", map[string]string{"DB_POOL_SIZE": "7"})
	for _, path := range []string{"/health", "/ready", "/live", "/metrics", "/faults", "/", "/recommendations?user=anna"} {
		s.get(t, path)
	}
	for series, want := range map[string]string{
		`http_requests_total{code="200",color="green",method="get",version="v2.5.0"}`:      "2",
		`http_request_duration_seconds_count{color="green",method="get",version="v2.5.0"}`: "2",
		`db_pool_max_connections{color="green",version="v2.5.0"}`:                          "7",
		`db_pool_acquired_connections{color="green",version="v2.5.0"}`:                     "0",
		`db_pool_connections{color="green",state="acquired",version="v2.5.0"}`:             "0",
		`db_pool_pending_acquires{color="green",version="v2.5.0"}`:                         "0",
		`db_connection_errors_total{color="green",sqlstate="53300",version="v2.5.0"}`:      "0",
	} {
		if got := s.metric(t, series); got != want {
			t.Errorf("%s = %q, want %s", series, got, want)
		}
	}
	for _, threshold := range []string{"0.15", "0.2", "0.25", "0.3", "0.4", "0.5", "0.8", "1", "1.5"} {
		if s.metric(t, `http_request_duration_seconds_bucket{color="green",method="get",version="v2.5.0",le="`+threshold+`"}`) == "" {
			t.Errorf("no bucket ends at %s s", threshold)
		}
	}
}

func TestFaultsLeaveProbesHealthy(t *testing.T) {
	s := startService(t, postgrestest.Start(t, nil), "green", nil)
	s.setFaults(t, `{"errorRate":1}`)
	if got := s.get(t, "/"); got.code != http.StatusInternalServerError {
		t.Errorf("/ answered %d, want the fault", got.code)
	}
	for _, path := range []string{"/health", "/ready", "/live", "/metrics"} {
		if got := s.get(t, path); got.code != http.StatusOK {
			t.Errorf("%s answered %d", path, got.code)
		}
	}
	s.setFaults(t, `{"errorRate":0,"notReady":true}`)
	if ready, root := s.get(t, "/ready").code, s.get(t, "/").code; ready != http.StatusServiceUnavailable || root != http.StatusOK {
		t.Errorf("/ready answered %d and / answered %d, want 503 and 200", ready, root)
	}
}

func TestFaultsAreClosedUnlessEnabled(t *testing.T) {
	s := startService(t, postgrestest.Start(t, nil), "green", map[string]string{"FAULTS_ENABLED": "false"})
	if got := s.send(t, http.MethodPost, "/faults", `{"errorRate":1}`); got.code != http.StatusNotFound {
		t.Errorf("POST /faults answered %d, want 404", got.code)
	}
	if got := s.get(t, "/"); got.code != http.StatusOK {
		t.Errorf("/ answered %d", got.code)
	}
}

func TestLeakGoesOnUntilPostgreSQLRefuses(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "15", "superuser_reserved_connections": "0"})
	s := startService(t, dsn, "green", nil)
	s.setFaults(t, `{"leakPerSecond":200}`)
	await(t, s.logs, func() bool { return strings.Contains(s.logs.String(), `"sqlstate":"53300"`) })
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		conn.Close(t.Context())
		t.Error("the database is said to be exhausted and still had a connection")
	}
	if got := s.send(t, http.MethodDelete, "/faults", ""); got.code != http.StatusOK {
		t.Fatalf("DELETE /faults answered %d", got.code)
	}
	await(t, s.logs, func() bool { return s.metric(t, `db_leaked_connections{color="green",version="v2.5.0"}`) == "0" })
}

func TestLockMakesOtherColourWait(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	blue := startService(t, dsn, "blue", map[string]string{"REQUEST_TIMEOUT": "30s"})
	green := startService(t, dsn, "green", nil)
	green.setFaults(t, `{"lockFor":"1h"}`)
	await(t, green.logs, func() bool {
		return sessions(t, dsn, "application_name = 'recommendation-green' AND state = 'idle in transaction'") == 1
	})
	if got := blue.get(t, "/recommendations?user=anna"); got.code != http.StatusOK {
		t.Errorf("a reader answered %d, want it not to wait for locked rows", got.code)
	}
	written := make(chan int, 1)
	go func() {
		written <- blue.send(t, http.MethodPost, "/recommendations", `{"user":"anna","item":"moka pot","score":0.1}`).code
	}()
	await(t, blue.logs, func() bool {
		return sessions(t, dsn, `application_name = 'recommendation-blue' AND wait_event_type = 'Lock' AND EXISTS (
			SELECT FROM pg_stat_activity holder WHERE holder.pid = ANY (pg_blocking_pids(a.pid)) AND holder.application_name = 'recommendation-green')`) == 1
	})
	green.setFaults(t, `{"lockFor":"0s"}`)
	if code := <-written; code != http.StatusCreated {
		t.Errorf("the writer answered %d after the lock was released", code)
	}
}

func TestCrashEndsTheService(t *testing.T) {
	s := startService(t, postgrestest.Start(t, nil), "green", nil)
	s.setFaults(t, `{"crashAfter":"0s"}`)
	if err := <-s.ended; !errors.Is(err, fault.ErrCrash) {
		t.Errorf("run() = %v, want %v", err, fault.ErrCrash)
	}
}

func TestSlowStartEndsWhenTold(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	env := map[string]string{
		"DATABASE_URL": "postgres://shop@127.0.0.1:1/shop", "VERSION": "v2.5.0", "COLOR": "green", "FAULT_SLOW_START": "1h",
	}
	output := &logs{}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, func(name string) string { return env[name] }, output) }()
	await(t, output, func() bool { return strings.Contains(output.String(), "starting") })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run() = %v", err)
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	env := map[string]string{"DATABASE_URL": "postgres://shop:hunter2@db:port/shop", "VERSION": "v2.5.0", "COLOR": "green"}
	err := run(t.Context(), func(name string) string { return env[name] }, &logs{})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("run() = %v, want an error that names the variable and not the password", err)
	}
}

// startGRPC starts a green service that answers calls too, and connects to it.
func startGRPC(t *testing.T) (*service, *grpc.ClientConn) {
	t.Helper()
	port := freePort(t)
	s := startService(t, postgrestest.Start(t, nil), "green", map[string]string{"GRPC_PORT": strconv.Itoa(port)})
	conn, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return s, conn
}

func TestGRPCHealthFollowsTheService(t *testing.T) {
	s, conn := startGRPC(t)
	check := func() grpc_health_v1.HealthCheckResponse_ServingStatus {
		answer, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "recommendation"})
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetStatus()
	}
	if got := check(); got != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("a healthy service is %s", got)
	}
	s.setFaults(t, `{"notReady":true}`)
	if got := check(); got != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("a service that is not ready is %s", got)
	}
}

// A call is a production request: counted by its method and its code, failed by
// the switches, and told apart by the version in its header.
func TestGRPCAnswersAndFailsAsHTTPDoes(t *testing.T) {
	s, conn := startGRPC(t)
	call := func() (string, string, codes.Code) {
		var header metadata.MD
		answer := &wrapperspb.StringValue{}
		err := conn.Invoke(t.Context(), "/recommendation.Recommendations/Recommend", wrapperspb.String("anna"), answer, grpc.Header(&header))
		return answer.GetValue(), strings.Join(header.Get("x-version"), ","), status.Code(err)
	}
	if text, version, code := call(); code != codes.OK || version != "v2.5.0" || !strings.Contains(text, `"user":"anna"`) {
		t.Errorf("a healthy service answers %s with %s from %q", code, text, version)
	}
	s.setFaults(t, `{"errorRate":1}`)
	if _, version, code := call(); code != codes.Internal || version != "v2.5.0" {
		t.Errorf("one that fails answers %s from %q", code, version)
	}
	for code, want := range map[string]string{"200": "1", "500": "1"} {
		if got := s.metric(t, `http_requests_total{code="`+code+`",color="green",method="recommend",version="v2.5.0"}`); got != want {
			t.Errorf("calls that end with %s: %q, want %s", code, got, want)
		}
	}
}

// sessions counts those rows a of pg_stat_activity for which the condition holds.
func sessions(t *testing.T, dsn, condition string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var count int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity a WHERE "+condition).Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

// What is open is told by gauges, until the client ends it.
func TestStreamsAreTold(t *testing.T) {
	s, conn := startGRPC(t)
	told := func(series, want string) {
		t.Helper()
		await(t, s.logs, func() bool { return s.metric(t, series) == want })
	}
	const inFlight = `http_requests_in_flight{color="green",path="/recommendations/stream",version="v2.5.0"}`
	told(inFlight, "0")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/recommendations/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get(t, "/recommendations/stream"); got.code != http.StatusUpgradeRequired {
		t.Errorf("a client that opens no WebSocket is answered %d", got.code)
	}
	request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	// The answer to that key is RFC 6455's own example.
	if got := response.Header.Get("Sec-WebSocket-Accept"); response.StatusCode != http.StatusSwitchingProtocols || got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("the handshake is answered %d with %q", response.StatusCode, got)
	}
	told(inFlight, "1")
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	told(inFlight, "0")

	ctx, end := context.WithCancel(t.Context())
	watching, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/recommendation.Recommendations/Watch")
	if err != nil {
		t.Fatal(err)
	}
	if header, err := watching.Header(); err != nil || strings.Join(header.Get("x-version"), ",") != "v2.5.0" {
		t.Errorf("the stream begins with %v, %v", header, err)
	}
	const calls = `{color="green",grpc_method="Watch",grpc_service="recommendation.Recommendations",grpc_type="server_stream",version="v2.5.0"}`
	told("grpc_server_started_total"+calls, "1")
	end()
	told("grpc_server_handled_total"+strings.Replace(calls, "grpc_method", `grpc_code="Canceled",grpc_method`, 1), "1")
}
