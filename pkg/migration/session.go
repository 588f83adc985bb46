package migration

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// session is what lasts from statement to statement in one connection.
type session struct {
	journal *journal
	// settings are those of the session, local those of the transaction.
	settings, local map[string]string
}

func newSession(journal *journal) *session {
	return &session{journal: journal, settings: map[string]string{}, local: map[string]string{}}
}

// set records SET and RESET. One for the session also ends what SET LOCAL said;
// one that only a branch of code makes leaves a value that isn't known, and is
// none to rely on.
func (s *session) set(change statement.Set, conditional bool) {
	switch {
	case change.Everything:
		for _, values := range []map[string]string{s.settings, s.local} {
			for name := range values {
				remove(s.journal, values, name)
			}
		}
	case conditional:
		put(s.journal, s.settings, change.Name, "")
		put(s.journal, s.local, change.Name, "")
	case change.Local && change.Value != "":
		put(s.journal, s.local, change.Name, change.Value)
	case change.Value != "":
		put(s.journal, s.settings, change.Name, change.Value)
		remove(s.journal, s.local, change.Name)
	case !change.Local:
		remove(s.journal, s.settings, change.Name)
		remove(s.journal, s.local, change.Name)
	default: // SET LOCAL … TO DEFAULT, which is not what the session says
		put(s.journal, s.local, change.Name, "")
	}
}

// waits is how long a change waits for a lock before it gives up, 0 for without
// an end: by lock_timeout, or by statement_timeout, which counts waiting too.
func (s *session) waits() time.Duration {
	lock, whole := timeout(s.value("lock_timeout")), timeout(s.value("statement_timeout"))
	if lock == 0 || whole == 0 {
		return max(lock, whole)
	}
	return min(lock, whole)
}

func (s *session) value(name string) string {
	if value, local := s.local[name]; local {
		return value
	}
	return s.settings[name]
}
