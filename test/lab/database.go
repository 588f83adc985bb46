package lab

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// Database is PostgreSQL and its exporter.
const Database Addon = "database"

// database is what it is made of.
func database() parts {
	return parts{
		addon:     Database,
		standard:  true,
		manifests: []string{manifests.Database},
		images: map[string]imageBuilder{
			"docker.io/library/postgres:15-alpine":                    compiled("postgres", image.PostgreSQL),
			"docker.io/prometheuscommunity/postgres-exporter:v0.11.1": packaged("/usr/bin/prometheus-postgres-exporter", "/bin/postgres_exporter"),
		},
	}
}
