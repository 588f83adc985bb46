package lab

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Needed are those addons, in the order of their names, that the tests need which
// a value of -test.run chooses; "" chooses every test. tests are by what they need.
// Who runs few tests need not wait for what they don't use.
func Needed(run string, tests map[Addon][]string) ([]Addon, error) {
	// Behind a slash are subtests.
	names, _, _ := strings.Cut(run, "/")
	chosen, err := regexp.Compile(names)
	if err != nil {
		return nil, fmt.Errorf("read -test.run: %w", err)
	}
	var needed []Addon
	for _, addon := range slices.Sorted(maps.Keys(tests)) {
		if slices.ContainsFunc(tests[addon], chosen.MatchString) {
			needed = append(needed, addon)
		}
	}
	return needed, nil
}
