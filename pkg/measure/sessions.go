package measure

import (
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// readConnections takes the fullest of the limits that can refuse a colour.
func readConnections(reading Reading, snapshot postgres.Snapshot, roles []string) Reading {
	if snapshot.Limits.Ordinary() == 0 {
		return reading.down("max_connections leaves ordinary roles no connection")
	}
	usage := snapshot.Fullest(roles)
	reading.Detail = usage.String()
	if !snapshot.SeesSessions && !snapshot.Counted {
		reading.Detail += ", by pg_stat_database, for the role may not see sessions"
	}
	return reading.ok(usage.Share(), float64(usage.Used))
}

// readSessions answers what is asked of one colour's sessions. Sessions that
// nothing gives to a colour are unknown: when there are some, and none is the
// colour's, nothing can be said of it.
func readSessions(reading Reading, snapshot postgres.Snapshot, given postgres.Attribution) Reading {
	own := given.Sessions[reading.Color]
	trust := fmt.Sprintf("sessions of %s: %s", reading.Color, given.Trust(reading.Color))
	if unknown := len(given.Unknown); unknown > 0 {
		trust += fmt.Sprintf("; %d sessions are of no known colour", unknown)
	}
	if len(own) == 0 && len(given.Unknown) > 0 {
		return reading.noData("no session can be attributed to %s by address, application_name or role; %d are of no known colour",
			reading.Color, len(given.Unknown))
	}
	samples := float64(len(own))
	reading.Detail = trust
	switch reading.Signal {
	case BlockedSessions:
		blocked := blockedBy(snapshot, own)
		if len(blocked) > 0 {
			reading.Detail = fmt.Sprintf("%s; %s waits for a lock of %s", trust, sessionName(blocked[0].waits), sessionName(blocked[0].holds))
		}
		return reading.ok(float64(len(blocked)), samples)
	case OldestTransaction:
		var oldest postgres.Session
		for _, session := range own {
			if session.TransactionAge > oldest.TransactionAge {
				oldest = session
			}
		}
		if oldest.TransactionAge > 0 {
			reading.Detail = fmt.Sprintf("%s; the oldest is %s, %s", trust, sessionName(oldest), oldest.State)
		}
		return reading.ok(oldest.TransactionAge.Seconds(), samples)
	}
	return reading.ok(samples, samples)
}

// blocked is a session that waits, and the one at the head of its queue.
type blocked struct{ waits, holds postgres.Session }

// blockedBy are the sessions of anybody that have waited for a while for a
// lock which one of the holders has, directly or behind others in its queue.
func blockedBy(snapshot postgres.Snapshot, holders []postgres.Session) []blocked {
	byPID := map[int]postgres.Session{}
	for _, session := range snapshot.Sessions {
		byPID[session.PID] = session
	}
	holding := map[int]bool{}
	for _, session := range holders {
		holding[session.PID] = !session.WaitingForLock
	}
	var found []blocked
	for _, session := range snapshot.Blocked() {
		if session.StateAge < lockWait {
			continue
		}
		if pid, held := headOf(session, byPID, holding, map[int]bool{}); held {
			found = append(found, blocked{waits: session, holds: byPID[pid]})
		}
	}
	return found
}

// headOf follows a queue to a session that holds the lock and waits for none.
func headOf(session postgres.Session, byPID map[int]postgres.Session, holding, visited map[int]bool) (int, bool) {
	if visited[session.PID] {
		return 0, false
	}
	visited[session.PID] = true
	for _, pid := range session.BlockedBy {
		if holding[pid] {
			return pid, true
		}
		if ahead, known := byPID[pid]; known {
			if head, held := headOf(ahead, byPID, holding, visited); held {
				return head, true
			}
		}
	}
	return 0, false
}

// sessionName tells a session without what it runs, which may hold data.
func sessionName(session postgres.Session) string {
	name := fmt.Sprintf("pid %d", session.PID)
	if session.Application != "" {
		name += " (" + session.Application + ")"
	}
	if session.TransactionAge > 0 {
		name += ", in a transaction for " + session.TransactionAge.Round(time.Second).String()
	}
	return name
}
