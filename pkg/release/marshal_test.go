package release

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarshalWritesWhatAPersonWould(t *testing.T) {
	discovered, err := scene{
		selector:    "app=shop,version=blue",
		deployments: map[string]string{"shop-blue": "app=shop,version=blue", "shop-green": "app=shop,version=green"},
		services:    map[string]string{"svc-blue": "version=blue"},
	}.discover(t)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Marshal(discovered.Release, discovered.Guesses)
	if err != nil {
		t.Fatal(err)
	}
	for _, guess := range discovered.Guesses {
		if !strings.Contains(string(got), guess.Why) {
			t.Errorf("%s is told as guessed, and is not written", guess.Field)
		}
	}
	if *update {
		if err := os.WriteFile("testdata/discovered.yaml", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, "discovered.yaml"), string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestMarshalKeepsEverything writes the fullest document and reads it back.
func TestMarshalKeepsEverything(t *testing.T) {
	want, err := Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := Marshal(want.Release, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse("bluegreen.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if got.Hash != want.Hash {
		t.Error(cmp.Diff(want.Release, got.Release))
	}
}

func TestMarshalLeavesTheReleaseAlone(t *testing.T) {
	document := Release{Spec: Spec{Databases: []Database{{Name: "main"}}}}
	if _, err := Marshal(&document, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Release{Spec: Spec{Databases: []Database{{Name: "main"}}}}, document); diff != "" {
		t.Error(diff)
	}
}
