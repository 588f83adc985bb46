package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// explained is an error in words for people; the original stays inside, for
// errors.Is and errors.As.
type explained struct {
	sentence string
	cause    error
}

func (e *explained) Error() string { return e.sentence }
func (e *explained) Unwrap() error { return e.cause }

// Explain turns an error that came from the cluster, or from looking for
// one, into one sentence, with the remedy as its hint (release.HintOf): no
// kubeconfig, unknown context, no cluster that answers, credentials that it
// refuses, a right that is missing, a kind that is not installed. Any other
// error, nil, and one that has a hint already are returned as they are.
func Explain(err error) error {
	if err == nil || release.HintOf(err) != "" {
		return err
	}
	for _, explain := range []func(error) (string, string){
		explainConfig, explainTrust, explainUnreachable, explainCredentials, explainForbidden, explainMissingKind,
	} {
		if sentence, hint := explain(err); sentence != "" {
			return release.WithHint(&explained{sentence: sentence, cause: err}, hint)
		}
	}
	return err
}

// unknownContext is how clientcmd names a context that it can't find.
var unknownContext = regexp.MustCompile(`context "([^"]*)" does not exist|context was not found for specified context: (\S+)`)

func explainConfig(err error) (string, string) {
	if found := unknownContext.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Sprintf("the kubeconfig has no context %q", found[1]+found[2]), "list them: kubectl config get-contexts"
	}
	if clientcmd.IsEmptyConfig(err) || strings.Contains(err.Error(), "Missing or incomplete configuration info") {
		return "no kubeconfig names a cluster", "point to one: --kubeconfig FILE, or export KUBECONFIG=FILE"
	}
	return "", ""
}

func explainTrust(err error) (string, string) {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var verification *tls.CertificateVerificationError
	if !errors.As(err, &authority) && !errors.As(err, &invalid) && !errors.As(err, &name) && !errors.As(err, &verification) {
		return "", ""
	}
	host := hostOf(err)
	return fmt.Sprintf("the certificate of %s is not trusted: %s", host, innermost(err)),
		"the kubeconfig's certificate-authority belongs to another cluster, or the certificate has expired: kubectl cluster-info"
}

func explainUnreachable(err error) (string, string) {
	reason := ""
	var network net.Error
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup):
		reason = "no such host"
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		reason = "no route to it"
	case errors.Is(err, errRequestTimeout), errors.As(err, &network) && network.Timeout() && isDial(err):
		reason = "timed out"
	default:
		return "", ""
	}
	host := hostOf(err)
	if host == "" {
		return "", "" // not a request to the API server
	}
	return fmt.Sprintf("no cluster answers at %s: %s", host, reason), "see which cluster is meant: kubectl config view --minify && kubectl cluster-info"
}

// Unreachable reports whether an error says that no cluster answers, and at which
// host and port.
func Unreachable(err error) (address string, unreachable bool) {
	if err == nil {
		return "", false
	}
	sentence, _ := explainUnreachable(err)
	_, address, _ = strings.Cut(hostOf(err), "://")
	return address, sentence != ""
}

// isDial reports whether a connection was never made; a deadline of the
// caller's own that ends later is no statement about the cluster.
func isDial(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial" && !errors.Is(err, context.Canceled)
}

func explainCredentials(err error) (string, string) {
	if apierrors.IsUnauthorized(err) {
		return "the cluster refuses the credentials of this context: they have expired or are unknown to it", "log in again, then see who you are: kubectl auth whoami"
	}
	if text := err.Error(); strings.Contains(text, "getting credentials: exec") {
		_, detail, _ := strings.Cut(text, "getting credentials: ")
		return "the kubeconfig's credential program failed: " + detail, "run it by hand; kubectl config view --minify shows it"
	}
	return "", ""
}

// forbidden is the API server's sentence about a missing right.
var forbidden = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?`)

func explainForbidden(err error) (string, string) {
	// A refused port-forward brings the sentence alone, without a Status.
	found := forbidden.FindStringSubmatch(err.Error())
	if found == nil {
		return "", "" // quota, admission: the server's words say what
	}
	user, verb, resource, group, namespace := found[1], found[2], found[3], found[4], found[5]
	kind, subresource, _ := strings.Cut(resource, "/")
	right := authorizationv1.ResourceAttributes{Group: group, Resource: kind}
	check := fmt.Sprintf("kubectl auth can-i %s %s", verb, ResourceOf(right))
	if subresource != "" {
		check += " --subresource=" + subresource
		right.Subresource = subresource
	}
	where := "in the whole cluster"
	if namespace != "" {
		where = "in namespace " + namespace
		check += " -n " + namespace
	}
	return fmt.Sprintf("missing right: verb %s on resource %s %s, for user %s", verb, ResourceOf(right), where, user), "ask for that right, then check it: " + check
}

func explainMissingKind(err error) (string, string) {
	var noKind *meta.NoKindMatchError
	var noResource *meta.NoResourceMatchError
	switch {
	case errors.As(err, &noKind):
		return missingKind(noKind.GroupKind.String(), strings.Join(noKind.SearchedVersions, ", "), noKind.GroupKind.Group)
	case errors.As(err, &noResource):
		return missingKind(noResource.PartialResource.Resource, noResource.PartialResource.Version, noResource.PartialResource.Group)
	}
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return "", ""
	}
	// An object that is missing is named; a path that is not served is not.
	details := status.Status().Details
	if details == nil || details.Name != "" || !hasCause(details, metav1.CauseTypeUnexpectedServerResponse) {
		return "", ""
	}
	return missingKind(details.Kind, "", details.Group)
}

func missingKind(kind, version, group string) (string, string) {
	name := kind
	if version != "" {
		name += " (" + version + ")"
	}
	hint := "see what it serves: kubectl api-resources"
	if group != "" {
		hint += " --api-group=" + group
	}
	return fmt.Sprintf("this cluster does not serve %s: its definition (CRD) is not installed, or in another version", name), hint
}

func hasCause(details *metav1.StatusDetails, kind metav1.CauseType) bool {
	for _, cause := range details.Causes {
		if cause.Type == kind {
			return true
		}
	}
	return false
}

// hostOf is the server that a failed request was for, without its path.
func hostOf(err error) string {
	var request *url.Error
	if !errors.As(err, &request) {
		return ""
	}
	target, parseErr := url.Parse(request.URL)
	if parseErr != nil || target.Host == "" {
		return ""
	}
	return target.Scheme + "://" + target.Host
}

// innermost is the last cause of an error.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
