package planted

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// A check that cannot fail is no check: each has a fault that it must catch.
func TestEveryCheckHasAPlantedFault(t *testing.T) {
	for _, check := range preflight.Catalogue() {
		if !proven(check.ID) {
			t.Errorf("%s has no planted fault: add one to this table, or name in elsewhere.go the test that plants it", check.ID)
		}
	}
}

// proven reports whether a check has a fault here, or a test elsewhere.
func proven(id string) bool {
	return slices.ContainsFunc(slices.Concat(Coming(), Running()), func(fault Fault) bool { return fault.ID == id }) ||
		slices.ContainsFunc(Elsewhere(), func(proof Proof) bool { return proof.ID == id })
}

// A check of that name that nobody proves would be missed.
func TestAnUnprovenCheckIsMissed(t *testing.T) {
	if proven("BG-COL-99") {
		t.Error("a check that does not exist passes for proven")
	}
}

// What the table names exists, and every fault is whole.
func TestFaultsAreWhole(t *testing.T) {
	var known []string
	for _, check := range preflight.Catalogue() {
		known = append(known, check.ID)
	}
	for _, fault := range slices.Concat(Coming(), Running()) {
		for _, id := range append(slices.Clone(fault.Also), fault.ID) {
			if !slices.Contains(known, id) {
				t.Errorf("%s (%s): there is no check %s", fault.ID, fault.Name, id)
			}
		}
		caught := []preflight.Outcome{preflight.Fail, preflight.Warn, preflight.Unknown}
		if fault.Name == "" || fault.Says == "" || fault.Plant == nil || !slices.Contains(caught, fault.Outcome) {
			t.Errorf("%s (%s): its name, what is said, how it is planted or how it is caught is missing", fault.ID, fault.Name)
		}
		if slices.Contains(fault.Also, fault.ID) {
			t.Errorf("%s (%s): it stands among the others", fault.ID, fault.Name)
		}
	}
}

// The tests that are named exist.
func TestProofsElsewhereExist(t *testing.T) {
	for _, proof := range Elsewhere() {
		if !declares(t, filepath.Join("..", "..", proof.Folder), proof.Test) {
			t.Errorf("%s: %s has no %s", proof.ID, proof.Folder, proof.Test)
		}
	}
	if declares(t, filepath.Join("..", "e2e"), "TestThatIsNotThere") {
		t.Error("a test that does not exist is found")
	}
}

// declares reports whether the tests in a folder hold one of a name.
func declares(t *testing.T, folder, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declaration := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(test) + `\(t \*testing\.T\)`)
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return declaration.Match(text)
	})
}
