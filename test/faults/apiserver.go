package faults

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// begin is how a fault begins, and mends.
type begin = func(ctx context.Context, suite *Suite) (func(context.Context) error, error)

// onAPIServer breaks the way to the API server.
func onAPIServer(breaks func(*link, context.Context) (func(context.Context) error, error)) begin {
	return func(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
		return breaks(suite.server, ctx)
	}
}

// restart kills the API server itself. While it is gone nobody listens, as on
// a machine where it runs alone; from when it is started again the program
// meets a server that is not ready yet.
func restart(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
	if suite.setting.Lab == nil {
		return nil, errors.New("kill the API server: this suite has no lab")
	}
	mend, err := suite.server.cut(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return errors.Join(suite.setting.Lab.Start(lab.APIServer), mend(ctx))
	}, suite.setting.Lab.Kill(ctx, lab.APIServer)
}

// answering makes the API server answer something else.
func answering(answer interpose.Hook) begin {
	return func(_ context.Context, suite *Suite) (func(context.Context) error, error) {
		remove := suite.proxy.Use(answer)
		return func(context.Context) error {
			remove()
			return nil
		}, nil
	}
}

// conflict refuses every write, as if somebody else had always been first.
func conflict(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
	if exchange.Stage == interpose.Arriving && exchange.Writes() {
		return interpose.Answer(http.StatusConflict, "the object has been modified; please apply your changes to the latest version and try again", 0)
	}
	return interpose.Pass()
}

// tooMany asks for fewer requests.
func tooMany(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
	if exchange.Stage == interpose.Arriving {
		return interpose.Answer(http.StatusTooManyRequests, "the server has received too many requests and has asked us to try again later", time.Second)
	}
	return interpose.Pass()
}

// internal is what an API server answers whose etcd is gone.
func internal(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
	if exchange.Stage == interpose.Arriving {
		return interpose.Answer(http.StatusInternalServerError, "etcdserver: request timed out", 0)
	}
	return interpose.Pass()
}

// half carries every request out, and breaks off in the midst of the answer.
func half(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
	if exchange.Stage == interpose.Answered {
		return interpose.Half()
	}
	return interpose.Pass()
}

// streaming are the subresources whose connections stay open on purpose.
var streaming = []string{"portforward", "exec", "attach", "log"}

// closeStreams ends every connection once, and after that takes no watch, no
// port-forward and no log: what an API server or a load balancer before it
// does that is drained.
func closeStreams(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
	again, err := suite.server.cut(ctx)
	if err != nil {
		return nil, err
	}
	if err := again(ctx); err != nil {
		return nil, err
	}
	return answering(func(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
		if exchange.Verb == "watch" || slices.Contains(streaming, exchange.Subresource) {
			return interpose.Drop()
		}
		return interpose.Pass()
	})(ctx, suite)
}
