package clients

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The defaults of Options.
const (
	DefaultTimeout      = 5 * time.Second
	DefaultKeepFailures = 100
)

// Options say what traffic to send.
type Options struct {
	// URL is requested: http://HOST/PATH, or a method of gRPC called with an
	// empty message, grpc://HOST:PORT/SERVICE/METHOD, or the same through a
	// mesh, xds://CONTROL-PLANE:PORT/NAME:PORT/SERVICE/METHOD.
	URL string
	// Method is GET unless set. Body and Header go with every request; of them
	// gRPC takes the header alone, as metadata.
	Method string
	Body   []byte
	Header http.Header
	// Rate is requests per second of all clients together.
	Rate int
	// KeepAlive and Fresh are how many clients there are of each kind.
	KeepAlive, Fresh int
	// Timeout bounds one request, dialling included; DefaultTimeout if 0.
	Timeout time.Duration
	// MaxRequests ends the traffic after so many requests; 0 is no limit.
	MaxRequests uint64
	// Strict makes every answer but a 2xx a failure, and not only a 5xx.
	Strict bool
	// KeepFailures is how many failures are kept in full;
	// DefaultKeepFailures if 0.
	KeepFailures int
}

func (o Options) withDefaults() Options {
	if o.Method == "" {
		o.Method = http.MethodGet
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.KeepFailures == 0 {
		o.KeepFailures = DefaultKeepFailures
	}
	return o
}

func (o Options) validate() error {
	var problems []error
	if _, err := o.protocol(); err != nil {
		problems = append(problems, err)
	}
	if o.Rate < 1 {
		problems = append(problems, fmt.Errorf("read rate: %d is not at least one request per second", o.Rate))
	}
	if o.KeepAlive < 0 || o.Fresh < 0 || o.KeepAlive+o.Fresh == 0 {
		problems = append(problems, errors.New("read clients: there must be at least one, of either kind"))
	}
	if o.Timeout < 0 {
		problems = append(problems, fmt.Errorf("read timeout: %s is negative", o.Timeout))
	}
	return errors.Join(problems...)
}
