package release

import (
	"path/filepath"
	"testing"
)

// TestTheExamplesAreValid reads every Release of the examples, by Parse and by
// the schema.
func TestTheExamplesAreValid(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/bluegreen.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	schema := compiled(t)
	for _, path := range paths {
		loaded, err := Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := validate(t, schema, string(loaded.Text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
