package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// reaching is by what a container with these variables reaches databases. The
// objects are kind/name to key=value; any other is refused.
func reaching(t *testing.T, container corev1.Container, objects map[string]map[string]string) postgres.Reach {
	t.Helper()
	input := postgres.PoolInput{Workload: "job/one", Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{container}}}}
	input.Lookup = func(_ context.Context, kind, name string) (map[string]string, error) {
		if data, found := objects[kind+"/"+name]; found {
			return data, nil
		}
		return nil, errors.New("forbidden")
	}
	return postgres.ReachOf(t.Context(), input, "shop")
}

func set(pairs ...string) corev1.Container {
	var container corev1.Container
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: value})
	}
	return container
}

func fromSecret(variable, name, key string) corev1.Container {
	return corev1.Container{Env: []corev1.EnvVar{{Name: variable, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key}}}}}
}

func wholeSecret(name string) corev1.Container {
	return corev1.Container{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}}}
}

func wholeConfigMap(name string) corev1.Container {
	return corev1.Container{EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}}}
}

func TestReachSharedWithTheColors(t *testing.T) {
	t.Setenv("PGUSER", "somebody")
	url := "postgres://app:kept-to-itself@postgres:5432/shop"
	objects := map[string]map[string]string{
		"secret/shop-database": {"url": url}, "secret/other": {"url": "postgres://other:x@elsewhere:5432/other"},
		"secret/settings":  {"LOG_LEVEL": "debug", "DB_POOL_SIZE": "3"},
		"configmap/shared": {"FEEDBACK_URL": "https://feedback.example", "GPG_KEY": "abc", "REDIS_DB": "0", "MONGODB_URL": "mongodb://mongo/shop", "MONGODB_HOST": "mongo", "DB_URL": ""},
		"secret/django":    {"url": "postgresql+asyncpg://app@postgres/shop"},
	}
	for _, test := range []struct {
		name        string
		color, job  corev1.Container
		pooled      bool
		by          string
		direct      bool
		mayBeOthers bool
	}{
		{"one key of one Secret", fromSecret("DATABASE_URL", "shop-database", "url"), fromSecret("DB_URL", "shop-database", "url"), false, "secret/shop-database key url", false, false},
		{"a Secret that can't be read", fromSecret("DATABASE_URL", "locked", "url"), fromSecret("DATABASE_URL", "locked", "url"), false, "secret/locked key url", false, true},
		{"all of a Secret that can't be read", wholeSecret("locked"), fromSecret("DATABASE_URL", "locked", "url"), false, "secret/locked key url", false, true},
		{"another key of it", fromSecret("DATABASE_URL", "locked", "url"), fromSecret("DATABASE_URL", "locked", "reports"), false, "", false, true},
		{"settings that point nowhere", wholeSecret("settings"), wholeSecret("settings"), false, "", false, false},
		{"names that only look like a database's", wholeConfigMap("shared"), wholeConfigMap("shared"), false, "", false, false},
		{"another database's host", set("MONGODB_HOST=mongo"), set("MONGODB_HOST=mongo"), false, "", false, false},
		{"a framework's own URL", fromSecret("DATABASE_URL", "django", "url"), fromSecret("DATABASE_URL", "django", "url"), false, "secret/django key url", false, false},
		{"no role, which is not this process' own", set("PGUSER=somebody", "PGDATABASE=shop"), set("DATABASE_URL=host=localhost dbname=shop"), false, "", false, false},
		{"one host", set("DATABASE_URL=" + url), set("DB_HOST=postgres.shop.svc.cluster.local:5432", "DB_USER=reports"), false, "host postgres.shop", false, false},
		{"one host in a jdbc string", set("DATABASE_URL=" + url), set("SPRING_DATASOURCE_URL=jdbc:postgresql://postgres/reports?user=r"), false, "host postgres.shop", false, false},
		{"one host in an argument", set("DATABASE_URL=" + url), corev1.Container{Args: []string{"--dsn=host=POSTGRES.shop.svc user=x dbname=y"}}, false, "host postgres.shop", false, false},
		{"another host", set("DATABASE_URL=" + url), fromSecret("DATABASE_URL", "other", "url"), false, "", false, false},
		{"a proxy in the pod", set("DATABASE_URL=postgres://a@localhost/one"), set("DATABASE_URL=postgres://b@localhost/two"), false, "", false, false},
		{"the role and the database", set("PGUSER=app", "PGDATABASE=shop"), set("DATABASE_URL=" + url), false, "role app in database shop", false, false},
		{"another server with such a role", set("DATABASE_URL=" + url), set("DATABASE_URL=postgres://app@elsewhere/shop"), false, "", false, false},
		{"past a pooler", set("DATABASE_URL=" + url), set("DATABASE_URL=postgres://app@elsewhere/shop"), true, "role app in database shop", true, false},
		{"nothing", set("DATABASE_URL=" + url), set("QUEUE=amqp://app@postgres/shop"), false, "", false, false},
	} {
		color, job := reaching(t, test.color, objects), reaching(t, test.job, objects)
		by, direct := job.SharedWith(color, test.pooled)
		if by != test.by || direct != test.direct || (len(job.Unread) > 0) != test.mayBeOthers {
			t.Errorf("%s: by %q, direct %t, unread %q; want %q, %t", test.name, by, direct, job.Unread, test.by, test.direct)
		}
		if text := fmt.Sprintf("%+v %+v", color, job); strings.Contains(text, "kept-to-itself") {
			t.Errorf("%s: a password is in %s", test.name, text)
		}
	}
}
