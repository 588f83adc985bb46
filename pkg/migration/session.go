package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

// session is what lasts from statement to statement in one connection.
type session struct {
	// settings are those of the session, local those of the transaction.
	settings, local map[string]string
}

func newSession() *session {
	return &session{settings: map[string]string{}, local: map[string]string{}}
}

// set records SET and RESET.
func (s *session) set(change statement.Set) {
	values := s.settings
	if change.Local {
		values = s.local
	}
	if change.Value == "" {
		delete(values, change.Name)
		return
	}
	values[change.Name] = change.Value
}

// bounded reports whether waiting for a lock ends by itself: by lock_timeout,
// or by statement_timeout, which counts waiting too.
func (s *session) bounded() bool {
	return s.positive("lock_timeout") || s.positive("statement_timeout")
}

func (s *session) positive(name string) bool {
	value, local := s.local[name]
	if !local {
		value = s.settings[name]
	}
	for _, char := range value {
		if char >= '1' && char <= '9' {
			return true
		}
	}
	return false
}
