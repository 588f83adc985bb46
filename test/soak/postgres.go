package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/majors"
)

// againstServers are the packages whose tests hold what they say of PostgreSQL
// against a server.
func againstServers() []string {
	return []string{"./pkg/postgres/...", "./pkg/migration/...", "./pkg/measure/...", "./pkg/preflight/..."}
}

// archives is where the builds of PostgreSQL are kept.
func archives() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "kubectl-bluegreen", "postgresql"), err
}

// fetchServers brings every major of PostgreSQL here, for parts that run where there
// is no network.
func fetchServers(ctx context.Context) error {
	cache, err := archives()
	if err != nil {
		return err
	}
	for _, build := range majors.Builds() {
		if err := majors.Fetch(ctx, cache, build); err != nil {
			return err
		}
	}
	return nil
}

// servers runs the tests that need a PostgreSQL with each of its majors.
func servers(ctx context.Context, _ options, kept *keeper) error {
	cache, err := archives()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "postgresql-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Chmod(folder, 0o755); err != nil { // the server is another user's
		return err
	}
	var all []tool
	for _, build := range majors.Builds() {
		programs, err := majors.Unpack(cache, build, filepath.Join(folder, fmt.Sprint(build.Major)))
		if err != nil {
			return err
		}
		all = append(all, tool{
			name: fmt.Sprintf("PostgreSQL %d (%s)", build.Major, build.Version), folder: "..",
			args: append([]string{"test", "-count=1", "-timeout", "1h"}, againstServers()...), variables: []string{postgrestest.ProgramsVariable + "=" + programs},
		})
	}
	return runAll(ctx, all, kept)
}
