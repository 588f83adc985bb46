package clients

import (
	"fmt"
	"net/http"
	"net/url"
)

// protocol is what requests are sent by.
type protocol struct {
	// kept is a transport for one keep-alive client, and fresh one for all of
	// the other clients.
	kept  func(*dialer) connection
	fresh func(*dialer) http.RoundTripper
}

// connection is a transport that is held on to.
type connection interface {
	http.RoundTripper
	hangUp()
}

// protocol is the one that the URL names.
func (o Options) protocol() (protocol, error) {
	target, err := url.Parse(o.URL)
	if err != nil {
		return protocol{}, fmt.Errorf("read URL: %w", err)
	}
	if target.Host == "" {
		return protocol{}, fmt.Errorf("read URL: %q has no host", o.URL)
	}
	switch target.Scheme {
	case "http":
		return protocol{
			kept:  func(d *dialer) connection { return &keptConnection{dialer: d} },
			fresh: freshTransport,
		}, nil
	case "grpc":
		return o.plainCalls(target).protocol(), nil
	case "xds":
		calls, err := o.meshCalls(target)
		return calls.protocol(), err
	}
	return protocol{}, fmt.Errorf("read URL: %q is not http://HOST, grpc://HOST or xds://HOST", o.URL)
}
