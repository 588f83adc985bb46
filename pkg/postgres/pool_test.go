package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

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

func TestDiscoverPoolWarnsOfAContainerThatSaysNothing(t *testing.T) {
	input := postgres.PoolInput{Workload: "deployment/shop"}
	input.Template.Spec.Containers = []corev1.Container{{Name: "app", Env: literal("DB_POOL_SIZE", "18")}, {Name: "worker", Env: literal("DATABASE_URL", "postgres://app@db/shop")}}
	got := postgres.DiscoverPool(t.Context(), input)
	if got.Connections != 18 || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "container worker has a connection string too") {
		t.Errorf("got %+v, want 18 and a warning of worker", got)
	}
}

// What stands in commands, arguments and sidecars counts; what an init container
// says does not, for it has ended.
func TestDiscoverPoolReadsArguments(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	dsn := "postgres://app:" + dsnPassword + "@db/shop?pool_max_conns=6"
	for name, test := range map[string]struct {
		spec  corev1.PodSpec
		want  int
		field string
	}{
		"Hikari's property":          {arguments("java", "-Dspring.datasource.hikari.maximum-pool-size=12", "-jar", "shop.jar"), 12, "deployment/shop args -Dspring.datasource.hikari.maximum-pool-size"},
		"Spring's argument":          {arguments("--spring.datasource.hikari.maximumPoolSize=13"), 13, "deployment/shop args --spring.datasource.hikari.maximumPoolSize"},
		"in a variable of the JVM's": {corev1.PodSpec{Containers: []corev1.Container{{Env: literal("JAVA_TOOL_OPTIONS", "-Xmx1g -Dspring.datasource.hikari.maximum-pool-size=14")}}}, 14, "deployment/shop args -Dspring.datasource.hikari.maximum-pool-size"},
		"a flag of its own":          {arguments("serve", "--db-max-open-conns", "15"), 15, "deployment/shop args --db-max-open-conns"},
		"a shell's line":             {arguments("sh", "-c", "exec serve --db-pool-size=16"), 16, "deployment/shop args --db-pool-size"},
		"a flag that makes no sense": {arguments("serve", "--db-pool-size=many"), 0, "deployment/shop args --db-pool-size"},
		"another pool's flag":        {arguments("serve", "--thread-pool-size=99"), 0, "deployment/shop annotation bluegreen.dev/pool-size"},
		"a connection string":        {arguments("serve", "--dsn="+dsn), 6, "deployment/shop args, parameter pool_max_conns"},
		"gunicorn": {corev1.PodSpec{Containers: []corev1.Container{{Args: []string{"gunicorn", "-w", "4", "--threads=2", "shop.wsgi"}, Env: literal("DJANGO_SETTINGS_MODULE", "shop.settings")}}},
			8, "deployment/shop env WEB_CONCURRENCY"},
		"gunicorn by variables": {corev1.PodSpec{Containers: []corev1.Container{{Env: append(literal("DJANGO_SETTINGS_MODULE", "shop.settings"), append(literal("WEB_CONCURRENCY", "3"), literal("GUNICORN_CMD_ARGS", "--threads 5")...)...)}}},
			15, "deployment/shop env WEB_CONCURRENCY"},
		"database/sql's limit": {corev1.PodSpec{Containers: []corev1.Container{{Env: literal("DB_MAX_OPEN_CONNS", "17")}}}, 17, "deployment/shop env DB_MAX_OPEN_CONNS"},
		"a sidecar":            {corev1.PodSpec{InitContainers: []corev1.Container{{RestartPolicy: &always, Env: literal("DB_POOL_SIZE", "18")}}, Containers: []corev1.Container{{}}}, 18, "deployment/shop env DB_POOL_SIZE"},
		"two containers":       {corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Env: literal("DB_POOL_SIZE", "18")}, {Name: "worker", Env: literal("DB_POOL_SIZE", "4")}}}, 22, "deployment/shop env DB_POOL_SIZE"},
		"one of two unknown":   {corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Env: literal("DB_POOL_SIZE", "18")}, {Name: "worker", Env: literal("POOL_SIZE", "some")}}}, 0, "deployment/shop env POOL_SIZE"},
		"an init container":    {corev1.PodSpec{InitContainers: []corev1.Container{{Env: literal("DB_POOL_SIZE", "50")}}, Containers: []corev1.Container{{}}}, 0, "deployment/shop annotation bluegreen.dev/pool-size"},
	} {
		t.Run(name, func(t *testing.T) {
			got := postgres.DiscoverPool(t.Context(), postgres.PoolInput{Workload: "deployment/shop", Template: corev1.PodTemplateSpec{Spec: test.spec}})
			if got.Connections != test.want || got.Known != (test.want > 0) || got.Field != test.field {
				t.Errorf("got %+v, want %d at %q", got, test.want, test.field)
			}
			if strings.Contains(fmt.Sprintf("%#v", got), dsnPassword) {
				t.Errorf("the password is in %#v", got)
			}
		})
	}
}

// Each process of a container has a pool of its own, where it can be seen that there
// are several.
func TestDiscoverPoolCountsProcesses(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	run := func(command string, pairs ...string) corev1.Container {
		container := set(pairs...)
		if command != "" {
			container.Command = strings.Fields(command)
		}
		return container
	}
	shell := run("", "DB_POOL_SIZE=5", "N=3")
	shell.Command = []string{"sh", "-c", "rake db:migrate && exec gunicorn -w ${N} shop:app"}
	otherwise := run("", "DB_POOL_SIZE=5")
	otherwise.Command = []string{"sh", "-c", "exec gunicorn -w ${N:-2} shop:app"}
	hidden := run("puma", "DB_POOL_SIZE=5")
	hidden.Env = append(hidden.Env, corev1.EnvVar{Name: "WEB_CONCURRENCY", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}})
	for name, test := range map[string]struct {
		containers []corev1.Container
		declared   string
		want       int
	}{
		"Rails":                          {[]corev1.Container{run("", "RAILS_ENV=production", "DB_POOL_SIZE=5", "WEB_CONCURRENCY=4")}, "", 20},
		"Rails, its assets by Node.js":   {[]corev1.Container{run("", "RAILS_ENV=production", "NODE_ENV=production", "RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=4")}, "", 20},
		"Rails, by default":              {[]corev1.Container{run("", "RAILS_ENV=production", "WEB_CONCURRENCY=4")}, "", 20},
		"puma's workers":                 {[]corev1.Container{run("bundle exec puma -w 4", "RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=2")}, "", 20},
		"puma's workers, joined":         {[]corev1.Container{run("bundle exec puma -w4", "RAILS_MAX_THREADS=5")}, "", 20},
		"puma without workers":           {[]corev1.Container{run("puma", "RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=0")}, "", 5},
		"puma by the processors":         {[]corev1.Container{run("puma", "RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=auto")}, "", 0},
		"a number that nobody sees":      {[]corev1.Container{hidden}, "", 0},
		"unicorn":                        {[]corev1.Container{run("unicorn -c config/unicorn.rb", "DB_POOL_SIZE=5", "WEB_CONCURRENCY=3")}, "", 15},
		"Rails' parameter":               {[]corev1.Container{run("puma", "RAILS_MAX_THREADS=5", "DATABASE_URL=postgres://app@db/shop?pool=25", "WEB_CONCURRENCY=2")}, "", 50},
		"what is no parameter elsewhere": {[]corev1.Container{run("serve", "DB_POOL_SIZE=5", "DATABASE_URL=postgres://app@db/shop?pool=25")}, "", 5},
		"gunicorn":                       {[]corev1.Container{run("python -m gunicorn -w 4 shop:app", "DB_POOL_SIZE=5")}, "", 20},
		"gunicorn, by a variable":        {[]corev1.Container{run("gunicorn shop:app", "DB_POOL_SIZE=5", "GUNICORN_CMD_ARGS=--workers=4")}, "", 20},
		"gunicorn, its arguments first":  {[]corev1.Container{run("gunicorn --workers=2 shop:app", "DB_POOL_SIZE=5", "GUNICORN_CMD_ARGS=--workers=4")}, "", 10},
		"uvicorn":                        {[]corev1.Container{run("/venv/bin/uvicorn shop:app --workers 4", "DB_POOL_SIZE=5")}, "", 20},
		"uvicorn, by a variable":         {[]corev1.Container{run("uvicorn shop:app -w 9", "DB_POOL_SIZE=5", "WEB_CONCURRENCY=4")}, "", 20},
		"a shell's line":                 {[]corev1.Container{shell}, "", 15},
		"a shell's default":              {[]corev1.Container{otherwise}, "", 10},
		"a shell's own number":           {[]corev1.Container{{Command: []string{"sh", "-c", "gunicorn -w $(nproc) shop:app"}, Env: literal("DB_POOL_SIZE", "5")}}, "", 0},
		"an argument, of each process":   {[]corev1.Container{run("gunicorn -w 2 shop:app --db-pool-size=5")}, "", 10},
		"nothing but the number":         {[]corev1.Container{run("", "DB_POOL_SIZE=5", "WEB_CONCURRENCY=4")}, "", 20},
		"Node.js":                        {[]corev1.Container{run("node server.js", "DB_POOL_SIZE=5", "WEB_CONCURRENCY=4")}, "", 5},
		"Node.js, by a variable":         {[]corev1.Container{run("", "NODE_ENV=production", "DB_POOL_SIZE=5", "WEB_CONCURRENCY=4")}, "", 5},
		"the JVM":                        {[]corev1.Container{run("", "SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE=5", "WEB_CONCURRENCY=4")}, "", 5},
		"Go":                             {[]corev1.Container{run("", "DATABASE_URL=postgres://app@db/shop?pool_max_conns=5", "WEB_CONCURRENCY=4")}, "", 5},
		"Sidekiq":                        {[]corev1.Container{run("bundle exec sidekiq", "RAILS_ENV=production", "RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=4")}, "", 5},
		"the Release's variable":         {[]corev1.Container{run("puma", "POOL=5", "WEB_CONCURRENCY=2"), run("", "POOL=20"), run("", "POOL=2")}, "POOL", 32},
		"the Release's, one makes none":  {[]corev1.Container{run("", "POOL=5"), run("", "POOL=many")}, "POOL", 0},
	} {
		input := postgres.PoolInput{Declared: release.Pool{Env: test.declared}}
		input.Template.Spec.Containers = test.containers
		if got := postgres.DiscoverPool(t.Context(), input); got.Connections != test.want || got.Known != (test.want > 0) {
			t.Errorf("%s: %+v, want %d", name, got, test.want)
		}
	}
	sidecar := run("", "POOL=20")
	sidecar.RestartPolicy = &always
	input := postgres.PoolInput{Declared: release.Pool{Env: "POOL"}}
	input.Template.Spec = corev1.PodSpec{InitContainers: []corev1.Container{sidecar}, Containers: []corev1.Container{run("", "POOL=5"), run("", "DATABASE_URL=postgres://app@db/shop")}}
	if got := postgres.DiscoverPool(t.Context(), input); got.Connections != 25 || got.Trust != postgres.TrustAssumed || len(got.Warnings) != 1 {
		t.Errorf("%+v, want 25 and that a container does not have the variable", got)
	}
}

// What a container runs stands where a command does, in the last part of a shell's
// line. A number that may stand elsewhere is assumed, and told.
func TestDiscoverPoolFindsTheServer(t *testing.T) {
	const configured, assumed = postgres.TrustConfigured, postgres.TrustAssumed
	for _, test := range []struct {
		line, shell string
		pairs       []string
		want        int
		trust, says string
	}{
		{shell: "bundle exec rake db:migrate && exec bundle exec rails server", pairs: []string{"RAILS_ENV=production", "RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=4"}, want: 20, trust: configured},
		{shell: "yarn build && exec bundle exec rails s", pairs: []string{"RAILS_MAX_THREADS=5", "WEB_CONCURRENCY=4"}, want: 20, trust: configured},
		{shell: "set -e; npm ci; PORT=80 gunicorn -w 4 main:app | tee log", want: 20, trust: configured},
		{shell: "gunicorn -w 4 main:app & wait", want: 20, trust: configured},
		{shell: "if true; then rake; fi\nexec puma -w 4", want: 20, trust: configured},
		{shell: "gunicorn -w 4 main:app & nginx -g 'daemon off;'", want: 20, trust: configured},
		{shell: "gunicorn -w 4 main:app & tail -f /dev/null", want: 20, trust: configured},
		{shell: "if test -z \"$DEBUG\"; then gunicorn -w 4 main:app; else python manage.py runserver; fi", want: 20, trust: configured},
		{shell: "celery -A shop worker -c 2 & gunicorn -w 4 main:app", want: 20, trust: assumed, says: "gunicorn alone are counted, and its command starts celery too"},
		{shell: "celery -A shop migrate && exec serve", want: 5, trust: configured},
		{line: "sudo -E gunicorn -w 4 main:app", want: 20, trust: configured},
		{line: "doppler run -- /venv/bin/gunicorn -w 4 main:app", want: 20, trust: configured},
		{line: "conda run -n shop puma -w 4", want: 20, trust: configured},
		{line: "timeout -s TERM 30 gunicorn -w 4 main:app", want: 20, trust: configured},
		{line: "dotenv -- node server.js", pairs: []string{"WEB_CONCURRENCY=4"}, want: 5, trust: assumed, says: "takes nothing from WEB_CONCURRENCY"},
		{line: "serve --from /srv/gunicorn", want: 5, trust: configured},
		{shell: "exec \"$@\"", line: "_ gunicorn -w 4 main:app", want: 20, trust: configured},
		{line: "gunicorn -w 4 --chdir /srv/fastapi main:app", want: 20, trust: configured},
		{line: "gunicorn -w 4 main:app --name gunicorn", want: 20, trust: configured},
		{line: "uvicorn main:app --workers 4 --app-dir /code/fastapi", want: 20, trust: configured},
		{line: "gosu app /docker-entrypoint.sh poetry run gunicorn -w 4 main:app", want: 20, trust: configured},
		{line: "uwsgi --http :8000 --processes 4 --module shop.wsgi", want: 20, trust: configured},
		{line: "uwsgi -p 4 --module shop.wsgi", want: 20, trust: configured},
		{line: "uwsgi --processes 4 --threads 2 --module shop.wsgi", pairs: []string{"DJANGO_SETTINGS_MODULE=shop.settings", "DB_POOL_SIZE="}, want: 8, trust: assumed, says: "Django's default"},
		{line: "uwsgi --ini shop.ini", want: 5, trust: assumed, says: "one process of uwsgi is assumed, and shop.ini"},
		{line: "uwsgi --module shop.wsgi", want: 5, trust: configured},
		{line: "granian --interface asgi --workers 4 main:app", want: 20, trust: configured},
		{line: "granian main:app", pairs: []string{"GRANIAN_WORKERS=4"}, want: 20, trust: configured},
		{line: "pm2-runtime start app.js -i 4", want: 20, trust: configured},
		{line: "npx pm2-runtime start app.js --instances=4", want: 20, trust: configured},
		{line: "pm2-runtime ecosystem.config.js", want: 5, trust: assumed, says: "ecosystem.config.js, which is not read"},
		{line: "pm2-runtime app.js -i max"},
		{line: "pm2-runtime app.js -i 0"},
		{line: "celery -A shop worker --concurrency=4", want: 20, trust: configured},
		{line: "celery -A shop worker -c 4", want: 20, trust: configured},
		{line: "celery -A shop worker --autoscale=4,1", want: 20, trust: configured},
		{line: "celery -A shop worker"},
		{line: "celery -A shop beat", want: 5, trust: configured},
		{line: "node cluster.js", pairs: []string{"WEB_CONCURRENCY=4"}, want: 5, trust: assumed, says: "takes nothing from WEB_CONCURRENCY"},
		{line: "node cluster.js", want: 5, trust: configured},
		{line: "sidekiq", pairs: []string{"RAILS_ENV=production", "WEB_CONCURRENCY=4"}, want: 5, trust: configured},
		{line: "gunicorn -c conf.py main:app", want: 5, trust: assumed, says: "one process of gunicorn is assumed, and conf.py"},
		{line: "bundle exec puma -C config/production.rb", want: 5, trust: assumed, says: "config/production.rb, which is not read"},
		{line: "bundle exec rails server", want: 5, trust: assumed, says: "config/puma.rb"},
	} {
		container := set(append([]string{"DB_POOL_SIZE=5"}, test.pairs...)...)
		if container.Command = strings.Fields(test.line); test.shell != "" {
			container.Command = append([]string{"/bin/bash", "-o", "pipefail", "-ec", test.shell}, container.Command...)
		}
		input := postgres.PoolInput{}
		input.Template.Spec.Containers = []corev1.Container{container}
		got := postgres.DiscoverPool(t.Context(), input)
		if got.Connections != test.want || got.Known != (test.want > 0) || got.Trust != test.trust || !strings.Contains(strings.Join(got.Warnings, "; "), test.says) || (len(got.Warnings) == 0) != (test.says == "") {
			t.Errorf("%s %s: %+v, want %d (%s)", test.shell, test.line, got, test.want, test.trust)
		}
	}
}

func arguments(words ...string) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Args: words}}}
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

// Every connection string that leads to the server has a pool of its own; those in
// another database, or as another role, stand beside. A Secret's keys have no order:
// what is told of them must not change from one look to the next.
func TestDiscoverPoolAddsUpConnectionStrings(t *testing.T) {
	whole := []string{"DATABASE_URL=postgres://app@db/shop?pool_max_conns=5", "REPLICA_URL=postgres://reader@replica/shop?pool_max_conns=20",
		"REPORTS_URL=postgres://reports@db/history?pool_max_conns=50"}
	npgsql := func(database string) string {
		return "ConnectionStrings__" + database + "=Host=db;Username=app;Password=" + dsnPassword + ";Database=" + database + ";Maximum Pool Size=30"
	}
	for name, test := range map[string]struct {
		at     postgres.Login
		pairs  []string
		want   string
		trust  string
		warned string
	}{
		"one server of two":              {postgres.Login{Host: "db.shop", Database: "shop"}, whole, "app in shop 5, reports in history 50", "configured", ""},
		"the other database":             {postgres.Login{Host: "db.shop", Database: "history"}, whole, "reports in history 50, app in shop 5", "configured", ""},
		"the other server":               {postgres.Login{Host: "replica.shop", Database: "shop"}, whole, "reader in shop 20", "configured", ""},
		"another name of its host":       {postgres.Login{Host: "postgres.data", Database: "history"}, whole, "reports in history 50, app in shop 5", "configured", ""},
		"a host that may be either":      {postgres.Login{Host: "postgres.data", Database: "shop"}, whole, "app in shop 5, reader in shop 20, reports in history 50", "assumed", "lead to this server can't be told"},
		"nothing is known":               {postgres.Login{}, whole, "app in shop 5, reader in shop 20, reports in history 50", "assumed", "lead to this server can't be told"},
		"two of one login":               {postgres.Login{}, []string{"A_URL=postgres://app@db/shop?pool_max_conns=10", "B_URL=postgres://app@db/shop?pool_max_conns=20"}, "app in shop 30", "configured", ""},
		"one in two variables":           {postgres.Login{}, []string{"A_URL=postgres://app@db/shop?pool_max_conns=10", "B_URL=postgres://app@db/shop?pool_max_conns=10"}, "app in shop 10", "configured", ""},
		"Npgsql's":                       {postgres.Login{Host: "db.shop", Database: "shop"}, []string{npgsql("shop"), npgsql("history")}, "app in shop 30, app in history 30", "configured", ""},
		"one says nothing":               {postgres.Login{}, []string{"A_URL=postgres://app@db/shop?pool_max_conns=10", "B_URL=postgres://app@db/history"}, "app in shop 10", "assumed", "env B_URL may have a pool of its own"},
		"the same, said otherwise":       {postgres.Login{}, []string{"A_URL=postgres://app@db/shop?pool_max_conns=10", "B_URL=postgres://app@db/shop"}, "app in shop 10", "configured", ""},
		"a variable for two":             {postgres.Login{}, []string{"A_URL=postgres://app@db/shop", "B_URL=postgres://app@db/history", "DB_POOL_SIZE=7"}, "app in shop 7", "assumed", "of env A_URL and env B_URL each may have a pool as large"},
		"a variable, and another server": {postgres.Login{Host: "db.shop", Database: "shop"}, []string{"A_URL=postgres://app@elsewhere/history?pool_max_conns=50", "B_URL=postgres://app@db/shop", "DB_POOL_SIZE=7"}, "app in shop 7", "configured", ""},
		"another database of its host":   {postgres.Login{Host: "db.shop", Database: "postgres"}, []string{"A_URL=postgres://app@db/shop?pool_max_conns=5", "B_URL=postgres://app@warehouse/dw?pool_max_conns=100"}, "app in shop 5", "configured", ""},
		"that of another host alone":     {postgres.Login{Host: "db.shop", Database: "postgres"}, []string{"A_URL=postgres://app@db/shop", "B_URL=postgres://app@warehouse/dw?pool_max_conns=100"}, "app in shop ?", "", ""},
		"a size of the second alone":     {postgres.Login{Host: "db.shop", Database: "shop"}, []string{"A_URL=postgres://app@db/shop", "B_URL=postgres://jobs@db/jobs?pool_max_conns=5"}, "jobs in jobs 5", "assumed", "env A_URL may have a pool of its own"},
		"Npgsql's, in one word":          {postgres.Login{}, []string{"A=Host=db;Username=app;Database=shop;MaxPoolSize=30"}, "app in shop 30", "configured", ""},
		"a host in the pod":              {postgres.Login{Host: "db.shop", Database: "shop"}, []string{"A_URL=postgres://app@db/shop?pool_max_conns=5", "B_URL=postgres://app@localhost/shop?pool_max_conns=6"}, "app in shop 11", "assumed", "can't be told"},
	} {
		values := map[string]string{}
		for _, pair := range test.pairs {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = value
		}
		input := postgres.PoolInput{At: test.at, Namespace: "shop", Lookup: func(context.Context, string, string) (map[string]string, error) { return values, nil }}
		input.Template.Spec.Containers = []corev1.Container{wholeSecret("db")}
		for range 10 {
			got := postgres.DiscoverPool(t.Context(), input)
			var told []string
			for _, pool := range append([]postgres.PoolSize{got}, got.Beside...) {
				told = append(told, fmt.Sprintf("%s in %s %s", pool.Role, pool.Database, pool))
			}
			if diff := cmp.Diff(test.want, strings.Join(told, ", ")); diff != "" || got.Trust != test.trust || !strings.Contains(strings.Join(got.Warnings, "; "), test.warned) {
				t.Fatalf("%s: %s, warnings %q (-want +got):\n%s", name, got.Trust, got.Warnings, diff)
			}
			if strings.Contains(fmt.Sprintf("%#v", got), dsnPassword) {
				t.Fatalf("%s: the password is in %#v", name, got)
			}
		}
	}
}

// Of several variables with one name the kubelet lets the last win, and env go
// before envFrom.
func TestDiscoverPoolTakesTheLastOfAName(t *testing.T) {
	dsn := func(role string, size int) string {
		return fmt.Sprintf("postgres://%s@db/shop?pool_max_conns=%d", role, size)
	}
	objects := map[string]map[string]string{
		"configmap/early": {"DATABASE_URL": dsn("early", 5), "DB_POOL_SIZE": "5"},
		"configmap/late":  {"DATABASE_URL": dsn("late", 9)},
	}
	lookup := func(_ context.Context, kind, name string) (map[string]string, error) {
		if data, found := objects[kind+"/"+name]; found {
			return data, nil
		}
		return nil, apierrors.NewNotFound(corev1.Resource(kind), name)
	}
	all := func(names ...string) (from []corev1.EnvFromSource) {
		for _, name := range names {
			from = append(from, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}})
		}
		return from
	}
	missing := secret("DATABASE_URL", "none", "url")
	missing[0].ValueFrom.SecretKeyRef.Optional = ptr.To(true)
	node := []corev1.EnvVar{{Name: "DB_POOL_SIZE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['pool']"}}}}
	for name, test := range map[string]struct {
		from []corev1.EnvFromSource
		env  []corev1.EnvVar
		want int
		role string
	}{
		"env before envFrom":             {all("early"), literal("DATABASE_URL", dsn("own", 30)), 30, "own"},
		"the later envFrom":              {all("early", "late"), nil, 9, "late"},
		"the later env":                  {nil, append(literal("DATABASE_URL", dsn("one", 30)), literal("DATABASE_URL", dsn("two", 7))...), 7, "two"},
		"an optional key that is none":   {all("early"), missing, 5, "early"},
		"emptied":                        {all("early"), append(literal("DATABASE_URL", ""), literal("DB_POOL_SIZE", "8")...), 8, ""},
		"a later one that can't be read": {all("early"), append(literal("DATABASE_URL", ""), node...), 0, ""},
	} {
		input := postgres.PoolInput{Lookup: lookup}
		input.Template.Spec.Containers = []corev1.Container{{EnvFrom: test.from, Env: test.env}}
		if got := postgres.DiscoverPool(t.Context(), input); got.Connections != test.want || got.Role != test.role {
			t.Errorf("%s: %d of %q, want %d of %q", name, got.Connections, got.Role, test.want, test.role)
		}
	}
}

// What refers to variables means what they hold, as the kubelet expands it.
func TestDiscoverPoolExpandsReferences(t *testing.T) {
	credentials := map[string]string{"username": "app", "password": dsnPassword, "size": "12"}
	lookup := func(_ context.Context, _, name string) (map[string]string, error) {
		if name == "credentials" {
			return credentials, nil
		}
		return nil, errors.New("forbidden")
	}
	dsn := literal("DATABASE_URL", "postgres://$(USERNAME):$(PASSWORD)@$(HOST)/$(NAME)?pool_max_conns=$(SIZE)")
	names := slices.Concat(secret("USERNAME", "credentials", "username"), secret("PASSWORD", "credentials", "password"), literal("HOST", "db"), literal("NAME", "shop"), literal("SIZE", "7"))
	for name, test := range map[string]struct {
		env      []corev1.EnvVar
		args     []string
		want     int
		role, in string
	}{
		"parts of a string":       {slices.Concat(names, dsn), nil, 7, "app", "shop"},
		"in an argument":          {slices.Concat(names, secret("SIZE", "credentials", "size")), []string{"--dsn", dsn[0].Value}, 12, "app", "shop"},
		"defined after":           {slices.Concat(dsn, names), nil, 0, "", ""},
		"a Secret nobody may see": {slices.Concat(secret("USERNAME", "locked", "username"), names[1:], dsn), nil, 7, "", "shop"},
		"no such variable":        {literal("DATABASE_URL", "postgres://$(NOBODY)@db/shop?pool_max_conns=3"), nil, 3, "", "shop"},
		"escaped":                 {slices.Concat(names, literal("DATABASE_URL", "postgres://app@db/$$(NAME)?pool_max_conns=3")), nil, 3, "app", ""},
		"a variable's size":       {slices.Concat(names, literal("DB_POOL_SIZE", "$(SIZE)")), nil, 7, "", ""},
	} {
		input := postgres.PoolInput{Lookup: lookup}
		input.Template.Spec.Containers = []corev1.Container{{Env: test.env, Args: test.args}}
		got := postgres.DiscoverPool(t.Context(), input)
		if got.Connections != test.want || got.Role != test.role || got.Database != test.in {
			t.Errorf("%s: %d of %q in %q, want %d of %q in %q", name, got.Connections, got.Role, got.Database, test.want, test.role, test.in)
		}
		if strings.Contains(fmt.Sprintf("%#v", got), dsnPassword) {
			t.Errorf("%s: the password is in %#v", name, got)
		}
	}
}

// Whom the pods log in as stands in the connection string or beside it.
func TestDiscoverPoolFindsTheRole(t *testing.T) {
	t.Setenv("PGUSER", "somebody")
	for name, test := range map[string]struct {
		pairs []string
		want  string
	}{
		"in the string":               {[]string{"DATABASE_URL=postgres://app@db/shop", "PGUSER=other"}, "app"},
		"Spring's":                    {[]string{"SPRING_DATASOURCE_URL=jdbc:postgresql://db/shop", "SPRING_DATASOURCE_USERNAME=app"}, "app"},
		"libpq's":                     {[]string{"PGHOST=db", "PGUSER=app"}, "app"},
		"keywords":                    {[]string{"DSN=host=db dbname=shop user=app password='a user=b'"}, "app"},
		"Npgsql's":                    {[]string{"ConnectionStrings__Main=Host=db;Username=app;Password=\"a;b\";Database=shop"}, "app"},
		"several hosts":               {[]string{"DATABASE_URL=postgres://app@one:5432,two:5432/shop"}, "app"},
		"several hosts, nobody":       {[]string{"DATABASE_URL=postgres://one:5432,two:5432/shop"}, ""},
		"two that differ":             {[]string{"PGUSER=app", "REPORTS_DB_USER=reports"}, ""},
		"what was cut where it can't": {[]string{"DSN=host=db user=app password=a;b dbname=shop"}, ""},
		"nowhere":                     {[]string{"DATABASE_URL=postgres://db/shop"}, ""},
	} {
		input := postgres.PoolInput{}
		input.Template.Spec.Containers = []corev1.Container{set(test.pairs...)}
		if got := postgres.DiscoverPool(t.Context(), input); got.Role != test.want {
			t.Errorf("%s: role %q, want %q", name, got.Role, test.want)
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
