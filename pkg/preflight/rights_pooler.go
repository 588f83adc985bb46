package preflight

import (
	"cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// poolerRights are those to read how many instances of a database's pooler
// there are, how they are configured, and to ask them.
func poolerRights(all *rights, database release.Database) {
	declared := database.Pooler
	if declared == nil {
		return
	}
	without := "what the pooler of database " + database.Name + " may open is not known, nor is the connection budget"
	want := func(group, resource, name string, verbs ...string) {
		to := all.in(group, resource, name)
		to.Namespace = cmp.Or(declared.Namespace, all.namespace)
		all.want("reckon with the pooler of database "+database.Name, without, to, verbs...)
	}
	switch {
	case declared.Workload != nil:
		want("apps", declared.Workload.Kind+"s", declared.Workload.Name, "get")
		want("", "configmaps", "", "get")
	case declared.CloudNativePG != "":
		want("apps", "deployments", declared.CloudNativePG, "get")
		want("postgresql.cnpg.io", "poolers", declared.CloudNativePG, "get")
	}
	if declared.Instances == 0 {
		want("", "pods", "", "list")
		want("autoscaling", "horizontalpodautoscalers", "", "list")
	}
	if ref := declared.Admin.SecretKeyRef; ref != nil {
		all.want("ask the pooler of database "+database.Name, without, all.in("", "secrets", ref.Name), "get")
	}
	if !declared.Admin.IsZero() && declared.Instances == 0 {
		want("", "pods/portforward", "", "create")
	}
}
