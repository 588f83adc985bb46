package lab

import (
	"context"
	"fmt"
	"slices"
)

// Addon is something that runs in the cluster beside the tested services.
type Addon string

const (
	// Monitoring is Prometheus and Alertmanager.
	Monitoring Addon = "monitoring"
	// Database is PostgreSQL and its exporter.
	Database Addon = "database"
)

// Addons lists all of them.
func Addons() []Addon { return []Addon{Monitoring, Database} }

// addMissing brings up those of the wanted addons that don't run yet.
func (l *Lab) addMissing(ctx context.Context, options Options) error {
	return nil
}

// ParseAddons reads names of addons, "all" or "none".
func ParseAddons(names []string) ([]Addon, error) {
	addons := []Addon{}
	for _, name := range names {
		switch {
		case name == "all":
			addons = append(addons, Addons()...)
		case name == "none":
		case slices.Contains(Addons(), Addon(name)):
			addons = append(addons, Addon(name))
		default:
			return nil, fmt.Errorf("no addon %q: there are monitoring, database, all and none", name)
		}
	}
	return addons, nil
}
