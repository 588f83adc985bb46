package release

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the files that the tests compare with")

const schemaPath = "../../docs/release.schema.json"

func TestTheCommittedSchemaIsCurrent(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run: go test ./pkg/release -run Schema -update\n%s", diff)
	}
}

// An editor shows the descriptions to who writes a Release: they name the two
// runbooks by the words that the documentation has for them.
func TestTheSchemaCallsARunbookARunbook(t *testing.T) {
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(schema), "seed") || !strings.Contains(string(schema), "the first runbook") {
		t.Error("the schema has another word for a runbook")
	}
}

// compiled is the committed schema, ready to validate.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("release.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("release.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate holds a YAML document against the schema.
func validate(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestTheSchemaAcceptsWhatParseAccepts(t *testing.T) {
	schema := compiled(t)
	for _, name := range []string{"full.yaml", "small.yaml", "discovered.yaml"} {
		if err := validate(t, schema, read(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefusesWhatParseRefuses(t *testing.T) {
	schema := compiled(t)
	for name, test := range map[string]struct{ old, new string }{
		"an unknown field":      {"    drain:", "    drian:"},
		"a missing field":       {"metadata: {name: recommendation, ", "metadata: {"},
		"another kind":          {"kind: Release", "kind: Deployment"},
		"a bare number":         {"watch: 10m", "watch: 600"},
		"no duration":           {"watch: 10m", "watch: 10 minutes"},
		"no workload":           {"deployment/recommendation-blue", "recommendation-blue"},
		"an unknown drain":      {"drain: auto", "drain: recylce"},
		"an unknown profile":    {"profile: weighted", "profile: canary"},
		"an unknown policy":     {"policy: rollback", "policy: ignore"},
		"an unknown failure":    {"onFailure: freeze", "onFailure: ignore"},
		"an unknown comparison": {"onFailure: freeze", "relative: ignore"},
		"an unknown via":        {"via: direct", "via: tunnel"},
		"a number for a label":  {"{version: green}", "{version: 2}"},
		"a budget in percent":   {"budget: 0.8", "budget: 80"},
		"a weight of nothing":   {"weight: 100", "weight: 0"},
		"a port that can't be":  {"port: 9090, timeout", "port: 90900, timeout"},
		"one colour":            {"    green:\n      workloads: [deploy/recommendation-green, sts/recommendation-cache-green]\n      selector: {version: green}\n      service: svc-green\n      manifests: [deploy/green/]\n", ""},
		"an unknown severity":   {"severity: warn", "severity: fatal"},
		"an unknown stage":      {"stages: [pr, deploy]", "stages: [prod]"},
		"an id in lower case":   {"id: SHOP-01", "id: shop-01"},
		"a dsn that is no name": {"dsn: {env: REPORTS_DSN}", "dsn: somewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(read(t, "full.yaml"), test.old, test.new, 1)
			if text == read(t, "full.yaml") {
				t.Fatal("nothing was replaced")
			}
			if err := validate(t, schema, text); err == nil {
				t.Error("the schema accepts it")
			}
			if _, err := Parse("bluegreen.yaml", []byte(text)); err == nil {
				t.Error("Parse accepts it")
			}
		})
	}
}

// TestEveryFieldIsDescribed: whoever edits a document sees what a field is.
func TestEveryFieldIsDescribed(t *testing.T) {
	comments, err := fieldComments(documentSource)
	if err != nil {
		t.Fatal(err)
	}
	if len(comments) < 60 {
		t.Errorf("only %d types and fields were found", len(comments))
	}
	for name, comment := range comments {
		if comment == "" {
			t.Errorf("%s has no comment", name)
		}
	}
}
