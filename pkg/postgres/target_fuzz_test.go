package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Whatever stands where a connection string is expected, it is refused or read, and
// what was given as its password is in no error and in nothing that is printed.
func FuzzNewTarget(f *testing.F) {
	const password = "xyzzy-canary"
	f.Add("postgres://app:" + password + "@db:5432/shop?sslmode=require&pool_max_conns=10")
	f.Add("host=db user=app password='" + password + "' dbname=shop")
	f.Add("postgres://app:" + password + "@[::1")
	f.Add("host=db password=" + password + " port=x")
	f.Add("postgres://" + password + "/?=& ")
	f.Fuzz(func(t *testing.T, dsn string) {
		if config, err := pgconn.ParseConfig(strings.TrimSpace(dsn)); err == nil && strings.Contains(config.Host+config.User+config.Database, password) {
			return // it was given as something that is no secret
		}
		target, err := postgres.NewTarget("main", dsn, release.ViaDirect, nil)
		said := fmt.Sprintf("%v %+v", target, target)
		if err != nil {
			said += err.Error()
		}
		if strings.Contains(said, password) {
			t.Errorf("%q: the password is in %q", dsn, said)
		}
	})
}
