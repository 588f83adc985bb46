package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// budgetCheck is the check of the connection budget.
const budgetCheck = "BG-DB-03"

// tooManyConnections is the SQLSTATE of a server that has none left.
const tooManyConnections = "53300"

// The incident of the runbook: two colours, each of them healthy, whose pools
// together take more than max_connections = 100. It is blocked with the
// arithmetic before green is even deployed; what the advice says makes it
// pass; and the limit that it reckons with is the one at which PostgreSQL
// refuses.
func TestIncidentIsBlockedByTheConnectionBudget(t *testing.T) {
	crowded := shop.Slot{Replicas: 3, Env: map[string]string{"DB_POOL_SIZE": "20"}}
	s := open(t, shop.Options{Blue: crowded, Green: crowded})

	report := s.checked(rollout.CodeBlocked)
	finding := findingOf(t, report, budgetCheck)
	if finding.Outcome != preflight.Fail || !slices.Equal(report.Blocking, []string{budgetCheck}) {
		t.Fatalf("blocked by %v with %+v, want by %s alone", report.Blocking, finding, budgetCheck)
	}
	says(t, finding.Evidence["arithmetic"], "blue 3 × 20 + green 3 × 20 + surge 2 × 20 = 160 > 0.8 × (100 − 3)")

	budget := s.budget(rollout.CodeBlocked)
	s.agrees(finding, budget)
	t.Logf("%s\n%s", budget.Summary, strings.Join(budget.Arithmetic, "\n"))
	s.run(rollout.CodeBlocked, "shift")
	s.serves(shop.Blue)

	s.refusesAt(budget.Gates[0])

	s.follow(budget.Changes)
	report = s.checked(rollout.CodeDone)
	finding = findingOf(t, report, budgetCheck)
	if finding.Outcome != preflight.Pass {
		t.Errorf("after the advice was followed: %+v", finding)
	}
	budget = s.budget(rollout.CodeDone)
	t.Logf("%s\n%s", budget.Summary, strings.Join(budget.Arithmetic, "\n"))
}

// checked runs check and reads its report.
func (s *scenario) checked(code int, args ...string) *preflight.Report {
	s.t.Helper()
	result := s.run(code, append([]string{"check", "-o", "json"}, args...)...)
	report := &preflight.Report{}
	if err := json.Unmarshal([]byte(result.Stdout), report); err != nil {
		s.t.Fatalf("read report: %v in %q", err, result.Stdout)
	}
	return report
}

// budget runs db budget and reads it.
func (s *scenario) budget(code int) *postgres.Budget {
	s.t.Helper()
	result := s.run(code, "db", "budget", "-o", "json")
	budget := &postgres.Budget{}
	if err := json.Unmarshal([]byte(result.Stdout), budget); err != nil {
		s.t.Fatalf("read budget: %v in %q", err, result.Stdout)
	}
	return budget
}

// findingOf returns the only finding of a check.
func findingOf(t *testing.T, report *preflight.Report, id string) preflight.Finding {
	t.Helper()
	var found []preflight.Finding
	for _, finding := range report.Findings {
		if finding.ID == id {
			found = append(found, finding)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d findings of %s, want one: %+v", len(found), id, found)
	}
	return found[0]
}

// agrees fails the test unless check and db budget say the same.
func (s *scenario) agrees(finding preflight.Finding, budget *postgres.Budget) {
	s.t.Helper()
	// Blue runs, and can be patched. Green is to come: its manifests say it.
	blue, green := "deployment/"+shop.Deployment(shop.Blue), "deployment/"+shop.Deployment(shop.Green)
	want := []postgres.Change{
		{Color: shop.Blue, Field: blue + " env DB_POOL_SIZE", From: 20, To: budget.RecommendedPool,
			Setting: &postgres.Setting{Workload: blue, Container: "recommendation", Variable: "DB_POOL_SIZE"}},
		{Color: shop.Green, Field: green + " env DB_POOL_SIZE in the manifests of green (" + s.poolSizeAt(shop.Green) + ")", From: 20, To: budget.RecommendedPool},
	}
	if difference := cmp.Diff(want, budget.Changes); difference != "" {
		s.t.Fatalf("changes (-want +got):\n%s", difference)
	}
	if finding.Evidence["recommendedPool"] != strconv.Itoa(budget.RecommendedPool) {
		s.t.Errorf("check recommends a pool of %s, db budget one of %d", finding.Evidence["recommendedPool"], budget.RecommendedPool)
	}
	for _, change := range budget.Changes {
		says(s.t, finding.Remedy, fmt.Sprintf("%s to %d", change.Field, change.To))
	}
	gate := budget.Gates[0]
	if gate.Demand != 160 || gate.Pods != 8 || gate.Limit != 97 || gate.Ceiling != gate.Limit-gate.Others {
		s.t.Errorf("gate %+v, want a demand of 160 by 8 pods on 97 connections", gate)
	}
	if fits := budget.RecommendedPool; fits < 1 || fits*gate.Pods > gate.Allowed || (fits+1)*gate.Pods <= gate.Allowed {
		s.t.Errorf("a pool of %d for %d pods is not the largest in %d connections", fits, gate.Pods, gate.Allowed)
	}
}

// poolSizeAt is the file of a colour's manifests, and the line of it, in which the size
// of its pool stands.
func (s *scenario) poolSizeAt(color string) string {
	s.t.Helper()
	file := filepath.Join("deploy", color, "deployment.yaml")
	text, err := os.ReadFile(filepath.Join(s.shop.Folder, file))
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "name: DB_POOL_SIZE") })
	if at < 0 || at+1 >= len(lines) || !strings.Contains(lines[at+1], "value:") {
		s.t.Fatalf("%s has no value of DB_POOL_SIZE below its name", file)
	}
	return fmt.Sprintf("%s:%d", file, at+2)
}

// follow sets the fields that the changes name, in the manifests and, where
// the workload runs, on the cluster, and waits until no pod of before is left:
// those that end still count.
func (s *scenario) follow(changes []postgres.Change) {
	s.t.Helper()
	for _, change := range changes {
		slot := shop.Slot{Replicas: 3, Env: map[string]string{"DB_POOL_SIZE": strconv.Itoa(change.To)}}
		if err := s.shop.WriteSlot(change.Color, slot); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.shop.Deploy(s.t.Context(), shop.Blue); err != nil {
		s.t.Fatal(err)
	}
	s.byHand("rollout", "status", "deployment/"+shop.Deployment(shop.Blue), "--timeout", hang.String())
	ending := s.byHand("get", "pods", "-o", `jsonpath={range .items[?(@.metadata.deletionTimestamp)]}pod/{.metadata.name} {end}`)
	if pods := strings.Fields(ending); len(pods) > 0 {
		s.byHand(append([]string{"wait", "--for=delete", "--timeout", hang.String()}, pods...)...)
	}
}

// refusesAt opens sessions as the service does until PostgreSQL refuses one,
// and fails the test unless that happens at a gate's ceiling. Sessions that
// were there when the budget was reckoned, and are not now (the program's own
// is one), are stood in for.
func (s *scenario) refusesAt(gate postgres.Gate) {
	s.t.Helper()
	sessions := s.sessions()
	var open []*pgx.Conn
	defer func() {
		for _, conn := range open {
			if err := conn.Close(s.t.Context()); err != nil {
				s.t.Error(err)
			}
		}
	}()
	for range gate.Others - sessions.Others {
		conn, err := s.shop.DialMonitor(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		open = append(open, conn)
	}
	// Who scrapes comes and goes: a place that was taken for a moment is none that is
	// taken, so a refusal counts once it lasts.
	for refusals := 0; refusals < 3; {
		conn, err := s.shop.Dial(s.t.Context())
		var refused *pgconn.PgError
		switch {
		case errors.As(err, &refused) && refused.Code == tooManyConnections:
			refusals++
			pause(s.t.Context(), 700*time.Millisecond)
		case err != nil:
			s.t.Fatal(err)
		default:
			open, refusals = append(open, conn), 0
		}
	}
	sessions = s.sessions()
	s.t.Logf("PostgreSQL refuses with %d sessions of the service and %d of others", sessions.Own, sessions.Others)
	if sessions.Own != gate.Ceiling || sessions.Others != gate.Others {
		s.t.Errorf("PostgreSQL refuses with %d sessions of the service and %d of others, the budget says %d and %d",
			sessions.Own, sessions.Others, gate.Ceiling, gate.Others)
	}
}

func (s *scenario) sessions() shop.Sessions {
	s.t.Helper()
	sessions, err := s.shop.Sessions(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return sessions
}
