package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const dsnPassword = "kept-to-itself-7351"

func TestDiscoverPool(t *testing.T) {
	dsn := "postgres://app:" + dsnPassword + "@db:5432/shop?sslmode=disable"
	for _, test := range []struct {
		name        string
		annotation  string
		declared    release.Pool
		env         []corev1.EnvVar
		want        int
		trust       string
		field, says string
	}{
		{name: "the annotation wins", annotation: "7", declared: release.Pool{Size: 9}, env: literal("DB_POOL_SIZE", "20"),
			want: 7, trust: "declared", field: "deployment/shop-green annotation bluegreen.dev/pool-size"},
		{name: "a wrong annotation is not made good", annotation: "many", env: literal("DB_POOL_SIZE", "20"),
			field: "deployment/shop-green annotation bluegreen.dev/pool-size", says: "not a whole number"},
		{name: "the Release's size", declared: release.Pool{Size: 9}, want: 9, trust: "declared",
			field: "spec.database[].pool.size of the Release, and the application's own setting"},
		{name: "the Release's variable", declared: release.Pool{Env: "CONNS"}, env: literal("CONNS", "12"),
			want: 12, trust: "configured", field: "deployment/shop-green env CONNS"},
		{name: "the Release's variable is missing", declared: release.Pool{Env: "CONNS"}, env: literal("DB_POOL_SIZE", "20"),
			field: "deployment/shop-green env CONNS", says: "is not set"},
		{name: "pgx's parameter before a variable", env: append(literal("DATABASE_URL", dsn+"&pool_max_conns=15"), literal("DB_POOL_SIZE", "20")...),
			want: 15, trust: "configured", field: "deployment/shop-green env DATABASE_URL, parameter pool_max_conns"},
		{name: "Npgsql's parameter", env: literal("ConnectionStrings__Main", "Host=db;Username=app;Password="+dsnPassword+";Database=shop;Maximum Pool Size=30"),
			want: 30, trust: "configured", field: "deployment/shop-green env ConnectionStrings__Main, parameter Maximum Pool Size"},
		{name: "a parameter in a Secret", env: secret("DATABASE_URL", "db", "sized"),
			want: 11, trust: "configured", field: "deployment/shop-green env DATABASE_URL, parameter pool_max_conns (secret/db)"},
		{name: "a variable beside a Secret", env: append(secret("DATABASE_URL", "db", "plain"), literal("DB_POOL_SIZE", "20")...),
			want: 20, trust: "configured", field: "deployment/shop-green env DB_POOL_SIZE"},
		{name: "Hikari", env: literal("SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE", "25"), want: 25, trust: "configured",
			field: "deployment/shop-green env SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE"},
		{name: "Rails and its workers", env: append(literal("RAILS_MAX_THREADS", "5"), literal("WEB_CONCURRENCY", "3")...),
			want: 15, trust: "configured", field: "deployment/shop-green env RAILS_MAX_THREADS"},
		{name: "a default", env: literal("SPRING_DATASOURCE_URL", "jdbc:postgresql://db/shop"), want: 10, trust: "assumed",
			field: "deployment/shop-green env SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE"},
		{name: "a Secret that may not be read", env: secret("DATABASE_URL", "forbidden", "url"),
			field: "deployment/shop-green annotation bluegreen.dev/pool-size", says: "secret/forbidden could not be read"},
		{name: "nothing", field: "deployment/shop-green annotation bluegreen.dev/pool-size", says: "no known pool variable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			input := postgres.PoolInput{Workload: "deployment/shop-green", Declared: test.declared, Lookup: secrets(dsn)}
			if test.annotation != "" {
				input.Template.ObjectMeta = metav1.ObjectMeta{Annotations: map[string]string{postgres.AnnotationPoolSize: test.annotation}}
			}
			input.Template.Spec.Containers = []corev1.Container{{Name: "app", Env: test.env}}
			got := postgres.DiscoverPool(t.Context(), input)
			if got.Connections != test.want || got.Known != (test.want > 0) || got.Trust != test.trust || got.Field != test.field {
				t.Errorf("got %+v, want %d (%s) at %q", got, test.want, test.trust, test.field)
			}
			shown := fmt.Sprintf("%#v", got)
			if !strings.Contains(shown, test.says) {
				t.Errorf("%s does not say %q", shown, test.says)
			}
			if strings.Contains(shown, dsnPassword) {
				t.Errorf("the password is in %s", shown)
			}
		})
	}
}

func TestDiscoverPoolReadsRoleAndDatabaseOfTheConnectionString(t *testing.T) {
	input := postgres.PoolInput{Lookup: secrets("postgres://app:" + dsnPassword + "@db/shop")}
	input.Template.Spec.Containers = []corev1.Container{{EnvFrom: []corev1.EnvFromSource{
		{Prefix: "APP_", SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}}}}}}
	got := postgres.DiscoverPool(t.Context(), input)
	if diff := cmp.Diff([]string{"app", "shop"}, []string{got.Role, got.Database}); diff != "" {
		t.Errorf("role and database (-want +got):\n%s", diff)
	}
}

// A Secret's keys have no order; what is told of them must not change from one
// look to the next.
func TestDiscoverPoolReadsAWholeSecretInOneOrder(t *testing.T) {
	input := postgres.PoolInput{Lookup: func(context.Context, string, string) (map[string]string, error) {
		return map[string]string{
			"DATABASE_URL": "postgres://app@db/shop?pool_max_conns=5",
			"REPORTS_URL":  "postgres://reports@db/history?pool_max_conns=50",
			"REPLICA_URL":  "postgres://reader@replica/shop?pool_max_conns=20",
		}, nil
	}}
	input.Template.Spec.Containers = []corev1.Container{{EnvFrom: []corev1.EnvFromSource{
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}}}}}}
	for range 50 {
		if got := postgres.DiscoverPool(t.Context(), input); got.Connections != 5 || got.Role != "app" || got.Database != "shop" {
			t.Fatalf("got %+v, want the pool of 5 of app in shop each time", got)
		}
	}
}

func TestDiscoverPoolReadsNoSecretThatCannotMatter(t *testing.T) {
	input := postgres.PoolInput{Lookup: func(_ context.Context, kind, name string) (map[string]string, error) {
		t.Errorf("%s/%s was read", kind, name)
		return nil, nil
	}}
	input.Template.Spec.Containers = []corev1.Container{{Env: secret("SIGNING_KEY", "keys", "key")}}
	postgres.DiscoverPool(t.Context(), input)
}

func secrets(dsn string) postgres.Lookup {
	return func(_ context.Context, kind, name string) (map[string]string, error) {
		if kind != "secret" || name != "db" {
			return nil, errors.New("get on secrets is forbidden")
		}
		return map[string]string{"plain": dsn, "sized": dsn + "&pool_max_conns=11"}, nil
	}
}

func literal(name, value string) []corev1.EnvVar {
	return []corev1.EnvVar{{Name: name, Value: value}}
}

func secret(variable, name, key string) []corev1.EnvVar {
	return []corev1.EnvVar{{Name: variable, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key}}}}
}
