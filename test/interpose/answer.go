package interpose

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// answer is given in place of the API server's.
type answer struct {
	status     int
	message    string
	retryAfter time.Duration
}

// problem is the answer as the API server words it.
func (a *answer) problem(target Target) metav1.Status {
	resource := schema.GroupResource{Group: target.Group, Resource: target.Resource}
	problem := apierrors.NewGenericServerResponse(a.status, target.Verb, resource, target.Name, a.message, a.seconds(), true).Status()
	problem.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	return problem
}

func (a *answer) seconds() int { return int(a.retryAfter / time.Second) }

// response is the answer as it goes over the wire.
func (a *answer) response(exchange *Exchange) *http.Response {
	text, err := json.Marshal(a.problem(exchange.Target))
	if err != nil {
		text = nil // a Status always marshals
	}
	header := http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(text))}}
	if seconds := a.seconds(); seconds > 0 {
		header.Set("Retry-After", strconv.Itoa(seconds))
	}
	return &http.Response{
		StatusCode: a.status, Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(text)), Body: io.NopCloser(bytes.NewReader(text)),
	}
}
