package preflight

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// poolRights are those to the Secrets out of which pool sizes are read. Which
// they are, the pod templates say: those of the manifests, and those in
// Inputs.Templates. ConfigMaps may be read in any case.
func poolRights(all *rights, in Inputs) {
	templates := in.Templates
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
				all.want("read pool sizes and database roles", "what secret/"+secret+" says of the pool's size and of the database role is not known",
					all.in("", "secrets", secret), "get")
			}
		}
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

// LiveTemplates are the pod templates of the workloads as the cluster has
// them, for Inputs.Templates. A workload that is not deployed has none; the
// error names those that can't be read, and leaves the others' beside it.
func LiveTemplates(ctx context.Context, in Inputs) ([]corev1.PodTemplateSpec, error) {
	var templates []corev1.PodTemplateSpec
	var failures []error
	for _, name := range in.Release.Spec.ColorNames() {
		for _, ref := range in.Release.Spec.Colors[name].Workloads {
			workload, err := in.Client.Workload(ctx, in.namespace(), ref)
			switch {
			case err == nil:
				templates = append(templates, workload.Template)
			case !apierrors.IsNotFound(err):
				failures = append(failures, err)
			}
		}
	}
	return templates, errors.Join(failures...)
}
