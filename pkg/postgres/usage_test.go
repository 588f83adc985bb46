package postgres_test

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func TestFullestIsALimitThatCanRefuseAColour(t *testing.T) {
	client := func(pid int, role string) postgres.Session {
		return postgres.Session{PID: pid, Role: role, Database: "shop", BackendType: "client backend"}
	}
	sessions := []postgres.Session{client(1, "app"), client(2, "app"), client(3, "exporter"), client(4, "root")}
	for _, test := range []struct {
		name  string
		roles []string
		plant func(*postgres.Snapshot)
		want  string
		share float64
	}{
		{"nothing but the cluster's", []string{"app"}, func(*postgres.Snapshot) {}, "4 of 100 connections", 0.04},
		{"the colours' role", []string{"app"}, func(s *postgres.Snapshot) { s.Roles["app"] = postgres.RoleLimit{Limit: 4} }, "2 of 4 connections that role app may have", 0.5},
		{"another's role", []string{"app"}, func(s *postgres.Snapshot) { s.Roles["exporter"] = postgres.RoleLimit{Limit: 1} }, "4 of 100 connections", 0.04},
		{"a superuser passes its limit", []string{"root"}, func(s *postgres.Snapshot) { s.Roles["root"] = postgres.RoleLimit{Limit: 1, Superuser: true} }, "4 of 100 connections", 0.04},
		{"a role without a limit", []string{"app"}, func(s *postgres.Snapshot) { s.Roles["app"] = postgres.RoleLimit{Limit: postgres.NoLimit} }, "4 of 100 connections", 0.04},
		{"the observed database", nil, func(s *postgres.Snapshot) { s.Databases["shop"] = postgres.DatabaseState{Limit: 5, Backends: 4} }, "4 of 5 connections that database shop may have", 0.8},
		{"another database", nil, func(s *postgres.Snapshot) { s.Databases["other"] = postgres.DatabaseState{Limit: 4, Backends: 4} }, "4 of 100 connections", 0.04},
		{"roles that can't be seen", []string{"app"}, func(s *postgres.Snapshot) {
			s.SeesSessions, s.Roles["app"], s.Databases["shop"] = false, postgres.RoleLimit{Limit: 2}, postgres.DatabaseState{Limit: -1, Backends: 50}
		}, "50 of 100 connections", 0.5},
		{"no room for anybody", nil, func(s *postgres.Snapshot) { s.Limits.MaxConnections = 3 }, "4 of 0 connections", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			snapshot := postgres.Snapshot{SeesSessions: true, Database: "shop", Limits: postgres.Limits{MaxConnections: 103, SuperuserReserved: 3},
				Databases: map[string]postgres.DatabaseState{}, Roles: map[string]postgres.RoleLimit{}, Sessions: sessions}
			test.plant(&snapshot)
			if got := snapshot.Fullest(test.roles); got.String() != test.want || got.Share() != test.share {
				t.Errorf("%s, %v; want %s, %v", got, got.Share(), test.want, test.share)
			}
		})
	}
}
