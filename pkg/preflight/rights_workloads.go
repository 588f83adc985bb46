package preflight

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// Live is what the cluster tells of a release's workloads beside what the
// manifests say.
type Live struct {
	// Templates are the pod templates of the workloads.
	Templates []corev1.PodTemplateSpec
	// Autoscalers are the names of those that scale the workloads.
	Autoscalers []string
	// Budgets are the names of the disruption budgets that cover one of them.
	Budgets []string
	// Unserved are the resources of layers (BG-NET-01) that the cluster does not
	// serve.
	Unserved []string
}

// ReadLive reads what Rights can't know from files, for Inputs.Live. A workload
// that is not deployed tells nothing; the error names those that can't be
// read, and leaves the others' beside it.
func ReadLive(ctx context.Context, in Inputs) (Live, error) {
	var live Live
	var failures []error
	var workloads []cluster.Workload
	for _, name := range in.Release.Spec.ColorNames() {
		for _, ref := range in.Release.Spec.Colors[name].Workloads {
			workload, err := in.Client.Workload(ctx, in.namespace(), ref)
			switch {
			case err == nil:
				live.Templates = append(live.Templates, workload.Template)
				workloads = append(workloads, *workload)
			case !apierrors.IsNotFound(err):
				failures = append(failures, err)
			}
		}
	}
	autoscalers := autoscalers(ctx, in)
	if !autoscalers.Known {
		failures = append(failures, errors.New(autoscalers.Problem))
	}
	for _, autoscaler := range autoscalers.Value {
		for _, name := range in.Release.Spec.ColorNames() {
			for _, ref := range in.Release.Spec.Colors[name].Workloads {
				if cluster.Autoscales(autoscaler, ref) {
					live.Autoscalers = append(live.Autoscalers, autoscaler.Name)
				}
			}
		}
	}
	budgets := disruptionBudgets(ctx, in)
	if !budgets.Known {
		failures = append(failures, errors.New(budgets.Problem))
	}
	for _, budget := range budgets.Value {
		if slices.ContainsFunc(workloads, func(workload cluster.Workload) bool { return covers(budget, workload) }) {
			live.Budgets = append(live.Budgets, budget.Name)
		}
	}
	for resource, served := range in.servedLayers(ctx) {
		if served.err == nil && served.resource.Empty() {
			live.Unserved = append(live.Unserved, resource)
		}
	}
	return live, errors.Join(failures...)
}

// workloadRights are those to what the workloads refer to and to what scales
// them: as the manifests of the colours have them, and as Inputs.Live does. An
// autoscaler in the manifests is theirs to apply, and so to patch.
func workloadRights(all *rights, in Inputs) {
	templates := slices.Clone(in.Live.Templates)
	for _, name := range in.Release.Spec.ColorNames() {
		// Manifests that can't be read, or lack a workload, are told elsewhere.
		workloads, _ := manifestWorkloads(in.Manifests[name], in.Release.Spec.Colors[name])
		for _, workload := range workloads {
			templates = append(templates, workload.Template)
		}
	}
	for _, database := range in.Release.Spec.Databases {
		for _, template := range templates {
			for _, secret := range secretsOfPool(postgres.PoolInput{Template: template, Declared: database.Pool}) {
				all.want("read pool sizes and database roles", "what secret/"+secret+" says of the pool's size and of the database role is not known, and BG-COL-14 can't compare it",
					all.in("", "secrets", secret), "get")
			}
		}
	}
	for _, template := range templates {
		for _, secret := range cluster.SecretsOf(&template.Spec) {
			all.want("compare what both colours are given, and hide it in what is told and kept of the pods",
				"BG-COL-14 can't compare it where the colours take it from two Secrets, and what pods log that are given one which can't be read is neither quoted nor kept",
				all.in("", "secrets", secret.Name), "get")
		}
	}
	for _, autoscaler := range in.Live.Autoscalers {
		all.want("keep the old side's autoscalers from taking it down", "an autoscaler may take the old side down while the target is watched",
			all.in("autoscaling", "horizontalpodautoscalers", autoscaler), "patch")
	}
}

// errUnread is the answer to a lookup that is only noted.
var errUnread = errors.New("not read")

// secretsOfPool are the Secrets that the discovery of a pool asks for.
func secretsOfPool(input postgres.PoolInput) []string {
	var secrets []string
	input.Lookup = func(_ context.Context, kind, name string) (map[string]string, error) {
		if kind == "secret" {
			secrets = append(secrets, name)
		}
		return nil, errUnread
	}
	postgres.DiscoverPool(context.Background(), input)
	return secrets
}
