package main

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// addonFlags are what `lab up` is told for the chosen parts, beside what every
// soak has: an addon that is built from source takes minutes the first time, and
// is there only where somebody needs it.
func addonFlags(chosen options) (string, error) {
	parts, err := partsOf(chosen.parts)
	if err != nil {
		return "", err
	}
	var needed []string
	for _, part := range parts {
		if part.needs == nil {
			continue
		}
		addons, err := part.needs(chosen)
		if err != nil {
			return "", err
		}
		for _, addon := range addons {
			needed = append(needed, "--with "+string(addon))
		}
	}
	slices.Sort(needed)
	return strings.Join(slices.Compact(needed), " "), nil
}

// killAddons are those of the kinds of routes whose runs are killed.
func killAddons(chosen options) ([]lab.Addon, error) {
	drivers, err := chosen.drivers()
	var addons []lab.Addon
	for _, driver := range drivers {
		if driver.Addon != "" {
			addons = append(addons, driver.Addon)
		}
	}
	return addons, err
}

// endToEndAddons are those of the tests end to end that `make test` leaves to the soak.
func endToEndAddons(options) ([]lab.Addon, error) { return []lab.Addon{lab.Mesh}, nil }
