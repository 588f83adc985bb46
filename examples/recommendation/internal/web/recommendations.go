package web

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/store"
)

// recommendations is the answer to a read.
type recommendations struct {
	Version         string                 `json:"version"`
	Color           string                 `json:"color"`
	User            string                 `json:"user"`
	Recommendations []store.Recommendation `json:"recommendations"`
}

// saved is the body of a write, and with version and colour its answer.
type saved struct {
	User  string  `json:"user"`
	Item  string  `json:"item"`
	Score float64 `json:"score"`
}

func (s Service) recommend(w http.ResponseWriter, r *http.Request) {
	found, err := s.recommendations(r.Context(), r.URL.Query().Get("user"))
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	answer(w, http.StatusOK, found)
}

// recommendations reads those of a user.
func (s Service) recommendations(ctx context.Context, user string) (recommendations, error) {
	if user == "" {
		user = "anonymous"
	}
	ctx, cancel := context.WithTimeout(ctx, s.RequestTimeout)
	defer cancel()
	found, err := s.Store.For(ctx, user)
	if found == nil {
		found = []store.Recommendation{}
	}
	return recommendations{Version: s.Version, Color: s.Color, User: user, Recommendations: found}, err
}

func (s Service) save(w http.ResponseWriter, r *http.Request) {
	var body saved
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	if err := decoder.Decode(&body); err != nil {
		answer(w, http.StatusBadRequest, problem{Error: fmt.Sprintf("read body: %v", err)})
		return
	}
	if body.User == "" || body.Item == "" || body.Score < 0 || body.Score > 1 {
		answer(w, http.StatusBadRequest, problem{Error: "user and item must be set and score must be from 0 to 1"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.RequestTimeout)
	defer cancel()
	if err := s.Store.Save(ctx, body.User, store.Recommendation{Item: body.Item, Score: body.Score}); err != nil {
		s.unavailable(w, r, err)
		return
	}
	answer(w, http.StatusCreated, struct {
		Version string `json:"version"`
		Color   string `json:"color"`
		saved
	}{s.Version, s.Color, body})
}

// problem is every answer that is not what was asked for.
type problem struct {
	Error    string `json:"error"`
	SQLState string `json:"sqlstate,omitempty"`
}

// unavailable is the answer when the database did not do its part.
func (s Service) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	s.logUnavailable(r.Context(), r.Method, r.URL.Path, err)
	answer(w, http.StatusServiceUnavailable, problem{Error: err.Error(), SQLState: store.SQLState(err)})
}

// logUnavailable logs that. That a client went away before its answer is no error
// of the service.
func (s Service) logUnavailable(ctx context.Context, method, path string, err error) {
	level, message := slog.LevelError, "request failed"
	if ctx.Err() != nil {
		level, message = slog.LevelInfo, "client went away"
	}
	s.Logger.Log(ctx, level, message, "method", method, "path", path, "error", err, "sqlstate", store.SQLState(err))
}
