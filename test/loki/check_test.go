package loki

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// found is what one check says of one colour.
type found struct {
	outcome preflight.Outcome
	cause   string
}

// look runs the whole preflight of a shop whose logs are at an address, and says
// what the checks of logs found, as "BG-LOG-01 green". What was collected is
// saved and read again on the way.
func look(t *testing.T, s *shop, address string, edit func(*release.Release)) (map[string]found, *preflight.Report) {
	t.Helper()
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: s.namespace}, Spec: release.Spec{
		Colors:  map[string]release.Color{"blue": color("blue"), "green": color("green")},
		Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}},
		Logs:    release.Logs{Loki: &release.Loki{URL: address, VersionLabel: "app_version", Tenant: tenant}},
	}}
	if edit != nil {
		edit(rel)
	}
	release.ApplyDefaults(rel)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	facts := preflight.Collect(ctx, preflight.Inputs{Client: s.client(t), Release: rel, Stage: preflight.StageDeploy, Clock: clock.RealClock{}})
	if ctx.Err() != nil {
		t.Fatal("the collectors have not kept to their deadlines")
	}
	var kept bytes.Buffer
	if err := preflight.Save(&kept, facts); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(kept.String(), "kept-to-itself") {
		t.Error("a line of a log is in the snapshot")
	}
	facts, err := preflight.Load(&kept)
	if err != nil {
		t.Fatal(err)
	}
	report := preflight.Evaluate(facts, preflight.Catalogue(), preflight.StageDeploy)
	if text, err := json.Marshal(report); err != nil || strings.Contains(string(text), "kept-to-itself") {
		t.Errorf("a line of a log is in the report, or there is none: %v", err)
	}
	findings := map[string]found{}
	for _, finding := range report.Findings {
		if strings.HasPrefix(finding.ID, "BG-LOG-") {
			findings[finding.ID+" "+strings.TrimPrefix(finding.Subject, "logs of ")] = found{finding.Outcome, finding.Cause}
		}
	}
	return findings, report
}

func color(name string) release.Color {
	return release.Color{Workloads: []release.Workload{{Kind: "deployment", Name: "shop-" + name}}, Selector: map[string]string{"version": name}}
}

// ship pushes every line that the pods of a shop wrote, each with the labels that
// a collector of logs gives it, unless change takes the stream away.
func ship(server *server, s *shop, change func(pod string, labels map[string]string) (ships bool)) {
	for _, pod := range s.pods {
		labels := map[string]string{"namespace": s.namespace, "pod": pod.Name, "container": "app", "app_version": pod.Labels["app.version"]}
		if change != nil && !change(pod.Name, labels) {
			continue
		}
		for _, written := range s.written[pod.Name] {
			server.push(labels, written, "token=kept-to-itself")
		}
	}
}

// passes are what the checks find where nothing is wrong.
func passes() map[string]preflight.Outcome {
	return map[string]preflight.Outcome{"BG-LOG-01 blue": preflight.Pass, "BG-LOG-01 green": preflight.Pass, "BG-LOG-02 blue": preflight.Pass, "BG-LOG-02 green": preflight.Pass}
}

func TestLogsOfBothColours(t *testing.T) {
	server := start(t)
	green := func(pod string) bool { return strings.HasPrefix(pod, "shop-green") }
	for _, test := range []struct {
		namespace string
		prepare   func(*shop)
		ship      func(pod string, labels map[string]string) bool
		edit      func(*release.Release)
		// instead of a pass, and what the finding of green says.
		want map[string]preflight.Outcome
		says string
	}{
		{namespace: "healthy", says: `{namespace="healthy",app_version=~"v2"} finds 2 streams`},
		{namespace: "other-name-for-pods", ship: func(pod string, labels map[string]string) bool {
			delete(labels, "pod")
			labels["k8s_pod_name"] = pod
			return true
		}, says: "finds 2 streams"},
		{namespace: "label-forgotten", ship: func(pod string, labels map[string]string) bool {
			if green(pod) {
				delete(labels, "app_version")
			}
			return true
		}, want: map[string]preflight.Outcome{"BG-LOG-01 green": preflight.Fail, "BG-LOG-02 green": preflight.Skip}, says: "that of pod shop-green-0 has no label app_version, that of pod shop-green-1 has no label app_version"},
		{namespace: "label-of-another-version", ship: func(pod string, labels map[string]string) bool {
			if pod == "shop-green-1" {
				labels["app_version"] = "v1"
			}
			return true
		}, want: map[string]preflight.Outcome{"BG-LOG-01 green": preflight.Fail, "BG-LOG-02 green": preflight.Fail}, says: `that of pod shop-green-1 has app_version="v1"`},
		{namespace: "nothing-arrives", ship: func(pod string, _ map[string]string) bool { return !green(pod) },
			want: map[string]preflight.Outcome{"BG-LOG-01 green": preflight.Fail, "BG-LOG-02 green": preflight.Skip}, says: "finds nothing, and pod shop-green-0 wrote a line"},
		{namespace: "one-version-for-both", prepare: func(s *shop) {
			for _, pod := range s.pods {
				pod.Labels["app.version"] = "v1"
			}
		}, want: map[string]preflight.Outcome{"BG-LOG-01 blue": preflight.Fail, "BG-LOG-01 green": preflight.Fail}, says: `the other colour has app_version="v1" too`},
		{namespace: "no-pods", prepare: func(s *shop) {
			s.pods = slices.DeleteFunc(s.pods, func(pod corev1.Pod) bool { return green(pod.Name) })
		},
			want: map[string]preflight.Outcome{"BG-LOG-01 green": preflight.Skip, "BG-LOG-02 green": preflight.Skip}, says: "no pods yet"},
		{namespace: "no-tenant", edit: func(rel *release.Release) { rel.Spec.Logs.Loki.Tenant = "" },
			want: map[string]preflight.Outcome{"BG-LOG-01 blue": preflight.Unknown, "BG-LOG-01 green": preflight.Unknown, "BG-LOG-02 blue": preflight.Unknown, "BG-LOG-02 green": preflight.Unknown},
			says: "it doesn't let us: status 401"},
		{namespace: "not-declared", edit: func(rel *release.Release) { rel.Spec.Logs.Loki = nil },
			want: map[string]preflight.Outcome{"BG-LOG-01 logs": preflight.Skip, "BG-LOG-02 logs": preflight.Skip}},
	} {
		t.Run(test.namespace, func(t *testing.T) {
			s := newShop(test.namespace)
			if test.prepare != nil {
				test.prepare(s)
			}
			ship(server, s, test.ship)
			want := passes()
			if test.namespace == "not-declared" {
				want = map[string]preflight.Outcome{}
			}
			maps.Copy(want, test.want)
			findings, _ := look(t, s, server.address, test.edit)
			for of, outcome := range want {
				if findings[of].outcome != outcome {
					t.Errorf("%s: %s: %s; want %s", of, findings[of].outcome, findings[of].cause, outcome)
				}
			}
			if !strings.Contains(findings["BG-LOG-01 green"].cause, test.says) {
				t.Errorf("green: %s; want %q", findings["BG-LOG-01 green"].cause, test.says)
			}
		})
	}
	t.Run("behind", func(t *testing.T) { collectorStands(t, server) })
	t.Run("faults", func(t *testing.T) { faults(t, server) })
}

// collectorStands is a node on which what ships the logs has stopped: one pod
// writes on, and what Loki has of it is of before.
func collectorStands(t *testing.T, server *server) {
	s := newShop("behind")
	all := s.written["shop-green-1"]
	s.written["shop-green-1"] = all[:3]
	ship(server, s, nil)
	s.written["shop-green-1"] = all
	findings, _ := look(t, s, server.address, nil)
	if of := findings["BG-LOG-02 green"]; of.outcome != preflight.Fail || !strings.Contains(of.cause, "pod shop-green-1 wrote a line") || !strings.Contains(of.cause, "the newest that loki has of it is 4m") {
		t.Errorf("%s: %s; want that loki is behind", of.outcome, of.cause)
	}
	if of := findings["BG-LOG-02 blue"]; of.outcome != preflight.Pass {
		t.Errorf("blue: %s: %s", of.outcome, of.cause)
	}
}

// faults puts a Loki out of reach in several ways. Each is told for what it is,
// and blocks who asked for everything.
func faults(t *testing.T, server *server) {
	s := newShop("faults")
	ship(server, s, nil)
	for _, fault := range []struct {
		name, says string
		address    func() string
	}{
		{"slow", "no answer in time", func() string { return relay(t, func(net.Conn) { <-t.Context().Done() }) }},
		{"speaking nonsense", "it can't be asked: net/http: HTTP/1.x transport connection broken: malformed HTTP", func() string {
			return relay(t, func(connection net.Conn) { _, _ = connection.Write([]byte("220 kept-to-itself ESMTP\r\n")) })
		}},
		{"speaking nonsense over HTTP", "its answer makes no sense", func() string {
			return relay(t, func(connection net.Conn) {
				_, _ = connection.Write([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>kept-to-itself</html>"))
			})
		}},
		{"stopped", "it can't be asked: ", func() string { server.stop(); return server.address }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			address := fault.address()
			for _, require := range []string{release.RequireStarter, release.RequireProduction} {
				findings, report := look(t, s, address, func(rel *release.Release) { rel.Spec.Require = require })
				for of, one := range findings {
					if one.outcome != preflight.Unknown || !strings.Contains(one.cause, fault.says) || !strings.HasPrefix(one.cause, "loki 127.0.0.1:") {
						t.Errorf("%s: %s: %s; want that it is not known: %s", of, one.outcome, one.cause, fault.says)
					}
				}
				if blocks := slices.Contains(report.Blocking, "BG-LOG-01"); blocks != (require == release.RequireProduction) || len(findings) != 4 {
					t.Errorf("%s: blocked by %v after %d findings", require, report.Blocking, len(findings))
				}
			}
		})
	}
}

// relay takes connections for a server and does something else with them.
func relay(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				_, _ = connection.Read(make([]byte, 4096)) // who closes before has reset
				serve(connection)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}
