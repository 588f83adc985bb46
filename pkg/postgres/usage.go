package postgres

import "fmt"

// Usage is how far one limit of connections is used.
type Usage struct {
	// Name is cluster, database NAME or role NAME, as a Gate's.
	Name string
	// Used are the connections that count against it, Limit what it is.
	Used, Limit int
}

// Share is Used over Limit: 0 to 1, beyond it while superusers use their
// reserve, and 1 under a limit that lets nobody in.
func (u Usage) Share() float64 {
	if u.Limit <= 0 {
		return 1
	}
	return float64(u.Used) / float64(u.Limit)
}

// String is "12 of 97 connections", with whose they are where it is not the
// cluster's limit.
func (u Usage) String() string {
	if u.Name == gateCluster {
		return fmt.Sprintf("%d of %d connections", u.Used, u.Limit)
	}
	return fmt.Sprintf("%d of %d connections that %s may have", u.Used, u.Limit, u.Name)
}

// Fullest is the limit that is used furthest of those that can refuse a
// colour: the cluster's, that of the observed database, and those of the
// roles that the colours log in with. A limit of anybody else, such as the
// one connection that a monitor may have, refuses nobody but its owner.
//
// Without SeesSessions the roles' sessions can't be counted, and the
// cluster's are those of pg_stat_database, background workers among them.
func (s Snapshot) Fullest(roles []string) Usage {
	clients := s.ClientSessions()
	fullest := Usage{Name: gateCluster, Used: len(clients), Limit: s.Limits.Ordinary()}
	if !s.SeesSessions {
		fullest.Used = s.backends()
	}
	consider := func(usage Usage) {
		if usage.Limit > 0 && usage.Share() > fullest.Share() {
			fullest = usage
		}
	}
	if state, known := s.Databases[s.Database]; known {
		consider(Usage{Name: gateDatabase + s.Database, Used: state.Backends, Limit: state.Limit})
	}
	if !s.SeesSessions {
		return fullest
	}
	sessions := map[string]int{}
	for _, session := range clients {
		sessions[session.Role]++
	}
	for _, role := range roles {
		if limit, known := s.Roles[role]; known && !limit.Superuser {
			consider(Usage{Name: gateRole + role, Used: sessions[role], Limit: limit.Limit})
		}
	}
	return fullest
}
