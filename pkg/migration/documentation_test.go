package migration

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/migrations.md")

func TestDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "migrations.md")
	want := Document(Catalogue())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/migrations.md is not what the rules say; renew it with: go test ./pkg/migration -run TestDocument -update\n%s", diff)
	}
}

func TestRulesSayWhatTheyAre(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range Catalogue() {
		if seen[rule.ID] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(rule.ID) {
			t.Errorf("rule %q: ids are words with dashes, once each", rule.ID)
		}
		seen[rule.ID] = true
		if rule.Title == "" || rule.Why == "" || rule.Remedy == "" || rule.Source == "" || rule.Class.Meaning() == "" {
			t.Errorf("%s: title, why, remedy, source and class are not all there", rule.ID)
		}
		if strings.Contains(rule.Source, "the research") {
			t.Errorf("%s: a reader does not know that source: %s", rule.ID, rule.Source)
		}
		if rule.Old != "" && rule.Bad == "" {
			t.Errorf("%s: the old version's query without an example", rule.ID)
		}
	}
}
