package release

import (
	"fmt"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// checkDatabases checks how each database is observed and its budget.
func (c *checker) checkDatabases() {
	names := map[string]bool{}
	for i, database := range c.document.Spec.Databases {
		field := fmt.Sprintf("spec.database[%d]", i)
		c.label(join(field, "name"), database.Name)
		if names[database.Name] && database.Name != "" {
			c.report(join(field, "name"), shown(database.Name)+" is the name of another database too", "")
		}
		names[database.Name] = true
		if budget := database.Budget; c.written(join(field, "budget")) && (budget <= 0 || budget > 1) {
			c.report(join(field, "budget"), fmt.Sprintf("%v is not a share between 0 and 1", budget), "80 % is written 0.8")
		}
		c.checkObserve(join(field, "observe"), database.Observe)
		if env := database.Pool.Env; env != "" {
			c.named(field+".pool.env", env, validation.IsEnvVarName(env))
		}
		c.between(field+".pool.size", database.Pool.Size, 1, 100000)
		c.between(join(field, "connections"), database.Connections, 1, 1000000)
		if database.Pooler != nil {
			c.checkPooler(field+".pooler", *database.Pooler)
		}
		c.checkMigrations(join(field, "migrations"), database.Migrations)
	}
}

// checkPooler checks that a pooler is named in one way, and that one outside
// the cluster can be asked.
func (c *checker) checkPooler(field string, pooler Pooler) {
	named := 0
	for _, name := range []string{"workload", "cloudNativePG", "instances"} {
		if c.written(field + "." + name) {
			named++
		}
	}
	if named != 1 {
		c.report(field, "needs exactly one of workload, cloudNativePG and instances", "write workload: deployment/NAME")
	}
	if c.written(field + ".cloudNativePG") {
		c.subdomain(field+".cloudNativePG", pooler.CloudNativePG)
	}
	if c.written(field + ".namespace") {
		c.label(field+".namespace", pooler.Namespace)
	}
	c.between(field+".instances", pooler.Instances, 1, 1000)
	c.checkSecret(field+".admin", pooler.Admin)
	if c.written(field+".instances") && !c.written(field+".admin") {
		c.report(field+".admin", "is required with instances: nothing else tells what it may open", "write admin: {secretKeyRef: {name: NAME, key: KEY}}")
	}
}

// checkMigrations checks the paths; what they hold, and which dialects and rules
// there are, is for the check of the migrations to know.
func (c *checker) checkMigrations(field string, migrations *Migrations) {
	if migrations == nil || c.troubled(join(field, "paths")) {
		return
	}
	if len(migrations.Paths) == 0 {
		c.report(join(field, "paths"), "names no file and no directory", "write paths: [db/migrations]")
	}
	for i, path := range migrations.Paths {
		at := fmt.Sprintf("%s.paths[%d]", field, i)
		if strings.TrimSpace(path) == "" {
			c.report(at, "must not be empty", "")
			continue
		}
		c.besideOrBelow(at, path)
	}
	if after := migrations.After; after != filepath.Base(after) && after != "" {
		c.report(join(field, "after"), shown(after)+" is no name of a file", "write its last part alone, such as "+filepath.Base(after))
	}
}

// besideOrBelow refuses a path that leads out of the folder of the document by its
// words alone; where its links lead is for whoever reads it (Inside).
func (c *checker) besideOrBelow(field, path string) {
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		c.report(field, shown(path)+" leads out of the folder of the document", "name a path relative to the document, beside or below it")
	}
}

func (c *checker) checkObserve(field string, observe Observe) {
	c.oneOf(join(field, "via"), string(observe.Via), string(ViaAuto), string(ViaDirect), string(ViaPortForward), string(ViaExporter), string(ViaPrometheus))
	c.checkSecret(join(field, "dsn"), observe.DSN)
	c.checkPodTarget(join(field, "pod"), observe.Pod)
	c.inClusterAddress(join(field, "exporter"), observe.Exporter)
	missing := ""
	switch observe.Via {
	case ViaDirect, ViaPortForward:
		if observe.DSN.IsZero() && !c.troubled(join(field, "dsn")) {
			missing = "dsn"
		}
	case ViaExporter:
		if observe.Exporter == "" && !c.troubled(join(field, "exporter")) {
			missing = "exporter"
		}
	case ViaPrometheus:
		if c.document.Spec.Metrics.Prometheus == nil && !c.troubled("spec.metrics.prometheus") {
			c.report(join(field, "via"), "prometheus needs spec.metrics.prometheus", "name the server there")
		}
	}
	if missing != "" {
		c.report(join(field, missing), fmt.Sprintf("is required when via is %s", observe.Via), "")
	}
}

// checkSecret checks the name of a secret value; the value itself never
// stands in a document, and whatever stands here is never repeated.
func (c *checker) checkSecret(field string, secret SecretSource) {
	if !c.written(field) {
		return
	}
	if reference := secret.SecretKeyRef; reference != nil {
		c.subdomain(field+".secretKeyRef.name", reference.Name)
		c.named(field+".secretKeyRef.key", reference.Key, validation.IsConfigMapKey(reference.Key))
	}
	if secret.Env != "" {
		c.named(join(field, "env"), secret.Env, validation.IsEnvVarName(secret.Env))
	}
	if (secret.SecretKeyRef == nil) == (secret.Env == "") {
		c.report(field, "needs exactly one of secretKeyRef and env", "write secretKeyRef: {name: NAME, key: KEY}")
	}
}

// checkPodTarget checks service/NAME, pod/NAME or a label selector.
func (c *checker) checkPodTarget(field, text string) {
	if !c.written(field) {
		return
	}
	const hint = "write service/NAME, pod/NAME or a label selector such as app=postgres"
	kind, name, found := strings.Cut(text, "/")
	if found && (kind == "service" || kind == "svc" || kind == "pod") {
		c.subdomain(field, name)
		return
	}
	if selector, err := labels.Parse(text); err != nil || selector.Empty() || !strings.ContainsAny(text, "=!") {
		c.report(field, shown(text)+" names no pod", hint)
	}
}
