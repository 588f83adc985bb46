package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// statusLimit bounds how much of a failed answer is read to see whose it is.
const statusLimit = 64 << 10

// refuseStatus tells the API server's own refusal from a pod's answer: the
// first is a metav1.Status, and is returned as an error. A pod's answer is
// returned as it came.
func refuseStatus(response *http.Response) (*http.Response, error) {
	if response.StatusCode < 400 || !strings.Contains(response.Header.Get("Content-Type"), "json") {
		return response, nil
	}
	start, err := io.ReadAll(io.LimitReader(response.Body, statusLimit))
	if err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	var status metav1.Status
	isStatus := json.Unmarshal(start, &status) == nil && status.Kind == "Status" &&
		status.APIVersion == "v1" && status.Status == metav1.StatusFailure
	if isStatus {
		_ = response.Body.Close()
		return nil, &apierrors.StatusError{ErrStatus: status}
	}
	response.Body = &readBack{Reader: io.MultiReader(bytes.NewReader(start), response.Body), Closer: response.Body}
	return response, nil
}

// readBack is a body whose start was read and put back.
type readBack struct {
	io.Reader
	io.Closer
}

// isUnreachablePod reports whether the API server says that it can't reach
// the pod's network. A refused or a broken connection is not that: there the
// network was reached and the pod is at fault.
func isUnreachablePod(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status().Code {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return false
	}
	message := status.Status().Message
	for _, reached := range []string{"connection refused", "connection reset", "EOF", "no endpoints available"} {
		if strings.Contains(message, reached) {
			return false
		}
	}
	for _, sign := range []string{"error trying to reach service", "error dialing backend", "No agent available", "i/o timeout", "no route to host", "network is unreachable"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}
