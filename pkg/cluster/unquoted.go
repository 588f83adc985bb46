package cluster

import "regexp"

// quoting is how net/http tells of what a server sent that is no HTTP, or a header
// that can't be (badStringError and its like in net/http, net/textproto): what is
// quoted stands behind it.
var quoting = regexp.MustCompile(`(malformed (?:HTTP|MIME)(?: [A-Za-z]+)*|(?:bad|invalid)(?: empty)? (?:Content-Length|[Tt]railer key)` +
	`|(?:unsupported|too many) transfer encodings?|multiple Content-Length headers|failed to parse Location header).*`)

// Unquoted is an error of talking to a pod without what it quotes of the answer,
// which is the pod's and may hold a secret. The original stays inside, for
// errors.Is and errors.As.
func Unquoted(err error) error {
	if err == nil {
		return nil
	}
	sentence := quoting.ReplaceAllString(err.Error(), "$1")
	if sentence == err.Error() {
		return err
	}
	return &explained{sentence: sentence, cause: err}
}
