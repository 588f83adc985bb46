package audit

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Write is one request that would change an object, as it was answered.
type Write struct {
	// User is the account that sent it, Verb what it asked for.
	User, Verb string
	// Object is resource/name, and resource/name/subresource of a
	// subresource other than the status, in the words of the API:
	// services/svc-production.
	Object string
	// Epoch and Holder are the stamp that it leaves; 0 and "" where it
	// leaves none.
	Epoch  int64
	Holder string
	// Revision is the resourceVersion that it made, 0 where it made none or
	// the answer does not tell. Above is the one that it was made on top of,
	// 0 where it did not say.
	Revision, Above int64
	// Code is the HTTP status of the answer.
	Code int
	// Received and Completed are when the API server was asked, and when it
	// had answered.
	Received, Completed time.Time
	// Stop: it does nothing but ask for an emergency stop.
	Stop bool
	// Status: it says what became of the object, as a controller does, and
	// can change nothing else; the stamp that comes with it is none of its.
	Status bool
}

// Landed reports whether the object was changed.
func (w Write) Landed() bool { return w.Code >= 200 && w.Code < 300 }

// Refused reports whether the API server refused it because the object is not
// what the writer took it for: a 409, or the 422 of a JSON patch whose tests
// fail.
func (w Write) Refused() bool { return w.Code == 409 || w.Code == 422 }

// String is the write for people.
func (w Write) String() string {
	return fmt.Sprintf("%s %s at epoch %d by %s (%d, revision %d, %s)", w.Verb, w.Object, w.Epoch, w.User, w.Code, w.Revision, w.Completed.Format("15:04:05.000000"))
}

// object is what is looked at of any object, or of a merge patch.
type object struct {
	Metadata struct {
		Name, ResourceVersion string
		Annotations           map[string]string
	}
	Spec json.RawMessage
}

// write reads the request of an event; is is false for what changes nothing.
func (e event) write() (write Write, is bool, err error) {
	address, err := url.ParseRequestURI(e.RequestURI)
	if err != nil {
		return Write{}, false, err
	}
	changes := slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
	if !changes || address.Query().Has("dryRun") || slices.Contains([]string{"proxy", "portforward", "exec", "attach", "token"}, e.ObjectRef.Subresource) {
		return Write{}, false, nil
	}
	write = Write{
		User: e.User.Username, Verb: e.Verb, Code: e.ResponseStatus.Code,
		Received: e.RequestReceivedTimestamp, Completed: e.StageTimestamp,
	}
	answer, name := object{}, e.ObjectRef.Name
	if write.Landed() && len(e.ResponseObject) > 0 {
		if err := json.Unmarshal(e.ResponseObject, &answer); err != nil {
			return Write{}, false, fmt.Errorf("read answer: %w", err)
		}
		if write.Revision, err = Revision(answer.Metadata.ResourceVersion); err != nil {
			return Write{}, false, err
		}
	}
	asked, err := e.asked(&write)
	if err != nil {
		return Write{}, false, err
	}
	for _, known := range []string{asked, answer.Metadata.Name} {
		if name == "" {
			name = known
		}
	}
	write.Object = e.ObjectRef.Resource + "/" + name
	switch e.ObjectRef.Subresource {
	case "":
	case "status":
		write.Status, write.Epoch, write.Holder = true, 0, ""
	default:
		write.Object += "/" + e.ObjectRef.Subresource
	}
	return write, true, nil
}

// asked reads the stamp of the request's body, and returns the name in it. The
// answer would not do: it shows the stamp of somebody else under a write that
// leaves none.
func (e event) asked(write *Write) (name string, err error) {
	body := e.RequestObject
	switch {
	case len(body) == 0 || strings.HasPrefix(e.Verb, "delete"):
		return "", nil
	case body[0] == '[':
		return "", patched(body, write)
	}
	found := object{}
	if err := json.Unmarshal(body, &found); err != nil {
		return "", fmt.Errorf("read request: %w", err)
	}
	annotations := found.Metadata.Annotations
	_, stops := annotations[cluster.AnnotationStop]
	write.Stop = e.Verb == "patch" && stops && len(annotations) == 1 && found.Spec == nil
	write.Holder = annotations[cluster.AnnotationHolder]
	if e.ObjectRef.Resource == "leases" {
		spec := struct{ HolderIdentity string }{}
		if err := json.Unmarshal(found.Spec, &spec); err != nil {
			return "", fmt.Errorf("read lease: %w", err)
		}
		write.Holder = spec.HolderIdentity
	}
	if write.Above, err = Revision(found.Metadata.ResourceVersion); err != nil {
		return "", err
	}
	write.Epoch, err = number(annotations[cluster.AnnotationEpoch])
	return found.Metadata.Name, err
}

// patched reads the stamp that a JSON patch leaves, and the version that it
// tests.
func patched(body []byte, write *Write) error {
	var operations []struct {
		Op, Path string
		Value    json.RawMessage
	}
	if err := json.Unmarshal(body, &operations); err != nil {
		return fmt.Errorf("read patch: %w", err)
	}
	for _, operation := range operations {
		text := ""
		if json.Unmarshal(operation.Value, &text) != nil {
			continue // not a text: a count, or a map of annotations that is made empty
		}
		var err error
		switch operation.Op + " " + operation.Path {
		case "test /metadata/resourceVersion":
			write.Above, err = number(text)
		case "add /metadata/annotations/" + cluster.EscapePointer(cluster.AnnotationEpoch):
			write.Epoch, err = number(text)
		case "add /metadata/annotations/" + cluster.EscapePointer(cluster.AnnotationHolder):
			write.Holder = text
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// number reads a whole number; "" is 0.
func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	found, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read number: %q is not a whole one", text)
	}
	return found, nil
}

// Revision reads a resourceVersion, which is the number of a revision of the
// store; "" is 0.
func Revision(text string) (int64, error) { return number(text) }
