package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Production wraps the handlers of production requests with the faults that
// touch those.
func (s *Switches) Production(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch err := s.Strike(r.Context()); {
		case errors.Is(err, ErrFails):
			answer(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		case err != nil:
			answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ServeHTTP shows the switches (GET), changes those that are named (POST) or
// puts all of them back (DELETE).
func (s *Switches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		if err := s.change(http.MaxBytesReader(w, r.Body, 64<<10)); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		s.logger.WarnContext(r.Context(), "faults changed", "faults", s.Settings())
	case http.MethodDelete:
		s.Set(Settings{})
		s.logger.WarnContext(r.Context(), "faults cleared")
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		answer(w, http.StatusMethodNotAllowed, map[string]string{"error": "use GET, POST or DELETE"})
		return
	}
	answer(w, http.StatusOK, s.Settings())
}

// change lays the document over the present settings: what it does not name
// stays, and nothing changes when any of it is wrong.
func (s *Switches) change(body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read faults: %w", err)
	}
	settings := s.Settings()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&settings); err != nil {
		return fmt.Errorf("read faults: %w", err)
	}
	var problems []error
	for field, problem := range settings.Problems() {
		problems = append(problems, fmt.Errorf("read %s: %w", field, problem))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	s.Set(settings)
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
