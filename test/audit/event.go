package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// event is what is looked at of an Event of audit.k8s.io/v1.
type event struct {
	Stage      string
	Verb       string
	RequestURI string
	User       struct{ Username string }
	ObjectRef  struct {
		Resource, Subresource, Namespace, Name string
	}
	ResponseStatus           struct{ Code int }
	RequestObject            json.RawMessage
	ResponseObject           json.RawMessage
	RequestReceivedTimestamp time.Time
	StageTimestamp           time.Time
}

// Size is how long a log is by now: where what comes next begins.
func Size(path string) (int64, error) {
	found, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("read audit log: %w", err)
	}
	return found.Size(), nil
}

// ReadFrom reads the writes to one namespace from an offset of a log on, in the
// order in which they were answered. A log that is shorter than that is an
// error, and so is a line that can't be read; a last line that is not whole yet
// is left out.
func ReadFrom(path string, offset int64, namespace string) ([]Write, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	defer file.Close()
	if end, err := file.Seek(0, io.SeekEnd); err != nil || end < offset {
		return nil, errors.Join(fmt.Errorf("read audit log %s from byte %d: it ends at %d", path, offset, end), err)
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return parse(text, namespace)
}

// parse reads whole lines.
func parse(text []byte, namespace string) ([]Write, error) {
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	mentioned := []byte(`"` + namespace + `"`)
	var writes []Write
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, mentioned) {
			continue
		}
		found := event{}
		if err := json.Unmarshal(line, &found); err != nil {
			return nil, fmt.Errorf("read audit log: %w in %.200q", err, line)
		}
		if found.ObjectRef.Namespace != namespace || found.Stage != "ResponseComplete" && found.Stage != "Panic" {
			continue
		}
		write, is, err := found.write()
		if err != nil {
			return nil, fmt.Errorf("read audit log: %s of %s by %s: %w", found.Verb, found.RequestURI, found.User.Username, err)
		}
		if is {
			writes = append(writes, write)
		}
	}
	slices.SortStableFunc(writes, func(a, b Write) int { return a.Completed.Compare(b.Completed) })
	return writes, nil
}
