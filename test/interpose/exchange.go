package interpose

import (
	"context"
	"net/http"
	"time"
)

// Stage is where an exchange is when a hook is called.
type Stage string

// The two stages.
const (
	// Arriving: the request has arrived, and is not forwarded yet.
	Arriving Stage = "arriving"
	// Answered: the API server has answered, and the answer is not handed
	// on yet.
	Answered Stage = "answered"
)

// Exchange is one request and its answer.
type Exchange struct {
	Target
	Stage Stage
	// Method, Path and Query are the request's, UserAgent who sent it.
	Method, Path, Query, UserAgent string
	// Header is the request's. It holds the program's credentials: it must
	// not be printed.
	Header http.Header
	// Body is the request's, nil where it upgrades the connection.
	Body []byte
	// Status and Answer are the API server's, 0 and nil before it has
	// answered. A stream, such as a watch, has no Answer.
	Status int
	Answer []byte

	stream bool
	half   bool
}

// Landed reports whether the API server has done what it was asked.
func (e *Exchange) Landed() bool {
	return e.Stage == Answered && e.Status >= 200 && e.Status < 300
}

// Wrote reports whether the cluster has just been changed by this exchange.
func (e *Exchange) Wrote() bool { return e.Writes() && e.Landed() }

// Hook sees an exchange at each stage, from a goroutine of that exchange. ctx
// ends when the program gives the request up, or is gone.
type Hook func(ctx context.Context, exchange *Exchange) Reaction

// Reaction is what becomes of an exchange. The zero Reaction lets it go on.
type Reaction struct {
	drop   bool
	half   bool
	answer *answer
}

// passes reports whether the exchange goes on as if nobody had looked.
func (r Reaction) passes() bool { return r == Reaction{} }

// Pass lets the exchange go on.
func Pass() Reaction { return Reaction{} }

// Drop closes the connection without an answer. A request that was arriving
// never reaches the API server.
func Drop() Reaction { return Reaction{drop: true} }

// Half hands on half of the answer's body and closes the connection then.
func Half() Reaction { return Reaction{half: true} }

// Answer gives an error in place of the API server's answer, as the API server
// words it: 409, 429, 500 and so on. With retryAfter, at least a second, the
// program is told when to ask again. A request that was arriving never reaches
// the API server.
func Answer(status int, message string, retryAfter time.Duration) Reaction {
	return Reaction{answer: &answer{status: status, message: message, retryAfter: retryAfter}}
}
