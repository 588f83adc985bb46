package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// A newer version of this tool may put more into a record of this version than
// this one knows: what an older tool would misread takes the next version. What
// it does not know it keeps as it is, so that a rollback with the binary that is
// at hand loses nothing that the newer one goes on by.

// beyond are the fields of a JSON object that a struct has no place for, nil
// where there are none.
func beyond(text []byte, known reflect.Type) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	for _, field := range reflect.VisibleFields(known) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		delete(fields, name)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return fields, nil
}

// with is a JSON object with more fields behind its own, which stay as they are.
func with(object []byte, more map[string]json.RawMessage) ([]byte, error) {
	if len(more) == 0 {
		return object, nil
	}
	var own map[string]json.RawMessage
	if err := json.Unmarshal(object, &own); err != nil {
		return nil, err
	}
	more = maps.Clone(more)
	maps.DeleteFunc(more, func(name string, _ json.RawMessage) bool { return own[name] != nil })
	text, err := json.Marshal(more)
	if err != nil || len(more) == 0 {
		return object, err
	}
	joined := append(bytes.TrimSuffix(bytes.Clone(object), []byte("}")), ',')
	return append(joined, text[1:]...), nil
}

// carried is the text of a runner's state, with what the state that was written
// last holds beyond the runner's type of it. Where the two say the same it is the
// last one's words; a list that has changed is wholly the runner's.
func carried(last json.RawMessage, state any) (json.RawMessage, error) {
	text, err := json.Marshal(state)
	if err != nil || state == nil {
		return text, err
	}
	understood := readAs(reflect.TypeOf(state), last)
	if understood == nil || bytes.Equal(understood, last) {
		return text, nil
	}
	values := make([]any, 3)
	for i, text := range [][]byte{last, understood, text} {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&values[i]); err != nil {
			return nil, fmt.Errorf("keep what is not known of the state: %w", err)
		}
	}
	return json.Marshal(merged(values[0], values[1], values[2]))
}

// readAs is what a type has a place for of a state, nil where it is not of that
// type, or is none yet.
func readAs(known reflect.Type, state json.RawMessage) []byte {
	read := reflect.New(known)
	if json.Unmarshal(state, read.Interface()) != nil {
		return nil
	}
	text, err := json.Marshal(read.Interface())
	if err != nil {
		return nil
	}
	return text
}

// merged is what is there now, with what was there last and was not understood.
func merged(last, understood, now any) any {
	if reflect.DeepEqual(understood, now) {
		return last
	}
	lastFields, isObject := last.(map[string]any)
	understoodFields, wasUnderstood := understood.(map[string]any)
	nowFields, isStill := now.(map[string]any)
	if !isObject || !wasUnderstood || !isStill {
		return now
	}
	fields := maps.Clone(nowFields)
	for name, value := range lastFields {
		understood, known := understoodFields[name]
		now, there := nowFields[name]
		switch {
		case known && there:
			fields[name] = merged(value, understood, now)
		case !known && !there:
			fields[name] = value
		}
	}
	return fields
}
