package action

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// metadata is what action.yml says.
type metadata struct {
	Inputs map[string]struct {
		Description string `json:"description"`
		Default     string `json:"default"`
		Required    bool   `json:"required"`
	} `json:"inputs"`
	Outputs map[string]struct {
		Description string `json:"description"`
	} `json:"outputs"`
	Runs struct {
		Using  string `json:"using"`
		Main   string `json:"main"`
		Post   string `json:"post"`
		PostIf string `json:"post-if"`
	} `json:"runs"`
}

func readMetadata(t *testing.T) metadata {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, "action.yml"))
	check(t, err)
	var found metadata
	check(t, yaml.Unmarshal(text, &found))
	return found
}

// The inputs and outputs are those that workflows already name: to lose one
// breaks them.
func TestInputsAndOutputs(t *testing.T) {
	found := readMetadata(t)
	inputs := map[string]string{}
	for name, input := range found.Inputs {
		inputs[name] = input.Default
		if input.Description == "" || input.Required {
			t.Errorf("input %s: expected a description, and that it is optional", name)
		}
	}
	if diff := cmp.Diff(map[string]string{
		"command": "check", "release": "", "stage": "", "on-cancel": "handover", "args": "",
		"token": "${{ github.token }}", "environment-url": "", "binary": "",
	}, inputs); diff != "" {
		t.Errorf("inputs and their defaults (-want +got):\n%s", diff)
	}
	outputs := slices.Sorted(maps.Keys(found.Outputs))
	if diff := cmp.Diff([]string{"durations", "failed-checks", "report", "run-id", "verdict"}, outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	for name, output := range found.Outputs {
		if output.Description == "" {
			t.Errorf("output %s has no description", name)
		}
	}
}

// What the entry reads is an input, what the runner starts is there, and post
// always runs.
func TestEntryIsWhatTheMetadataSays(t *testing.T) {
	found := readMetadata(t)
	text, err := os.ReadFile(filepath.Join(checkout, "action", "entry", "start.js"))
	check(t, err)
	read := regexp.MustCompile(`INPUT_([A-Z-]+)`).FindAllStringSubmatch(string(text), -1)
	if len(read) == 0 {
		t.Error("the entry reads no input")
	}
	for _, match := range read {
		if _, known := found.Inputs[strings.ToLower(match[1])]; !known {
			t.Errorf("the entry reads %s, which is no input", match[0])
		}
	}
	for _, file := range []string{found.Runs.Main, found.Runs.Post} {
		if _, err := os.Stat(filepath.Join(checkout, filepath.FromSlash(file))); err != nil {
			t.Error(err)
		}
	}
	if found.Runs.Using != "node24" || found.Runs.PostIf != "" && found.Runs.PostIf != "always()" {
		t.Errorf("runs %+v: expected node24, and post without a condition", found.Runs)
	}
}

// The entry needs nothing but Node.js: no package has to be trusted with it.
func TestEntryHasNoDependencies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(checkout, "action", "entry", "*.js"))
	check(t, err)
	if len(files) != 3 {
		t.Fatalf("expected three files in action/entry, found %q", files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		for _, match := range regexp.MustCompile(`require\('([^']+)'\)`).FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(match[1], "node:") && !strings.HasPrefix(match[1], ".") {
				t.Errorf("%s requires %s", filepath.Base(file), match[1])
			}
		}
	}
}
