package planted

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// inRights are faults of what the cluster lets us do.
func inRights() []Fault {
	return []Fault{
		{ID: "BG-COL-06", Name: "a policy that keeps the route where it is", Outcome: preflight.Fail, Says: "svc-production stays where it is",
			Plant: applied(policy)},
		{ID: "BG-COL-07", Name: "an account that may take no lease", Outcome: preflight.Fail, Says: "on resource leases.coordination.k8s.io",
			Plant: asAccount},
		{ID: "BG-COL-17", Name: "a policy that refuses green's Deployment", Outcome: preflight.Fail, Says: "nothing new before Monday",
			Plant: applied(frozen)},
	}
}

// frozen refuses what would make green.
const frozen = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: planted.NAMESPACE}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments], scope: Namespaced}
  validations:
  - {expression: "false", message: nothing new before Monday, reason: Forbidden}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: planted.NAMESPACE}
spec: {policyName: planted.NAMESPACE, validationActions: [Deny]}
`

const policy = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: planted.NAMESPACE}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [services], resourceNames: [svc-production], scope: Namespaced}
  validations:
  - {expression: object.spec.selector == oldObject.spec.selector, message: svc-production stays where it is, reason: Forbidden}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: planted.NAMESPACE}
spec: {policyName: planted.NAMESPACE, validationActions: [Deny]}
`

// account is what may do everything that a release needs but hold its lease.
const account = `apiVersion: v1
kind: ServiceAccount
metadata: {name: planted}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: planted.NAMESPACE}
rules:
- {apiGroups: ["", apps, autoscaling, batch, discovery.k8s.io, gateway.networking.k8s.io, networking.k8s.io, policy], resources: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: planted.NAMESPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: planted.NAMESPACE}
subjects: [{kind: ServiceAccount, name: planted, namespace: NAMESPACE}]
`

// asAccount lets check run as that account.
func asAccount(ctx context.Context, site *Site) (Undo, error) {
	remove, err := applied(account)(ctx, site)
	if err != nil {
		return remove, err
	}
	kubeconfig, err := site.Lab.KubeconfigOf(ctx, site.Namespace, "planted")
	if err != nil {
		return remove, err
	}
	// The API server learns of a Role a little after it was written.
	may := func(ctx context.Context) (bool, error) {
		return site.Kubectl(ctx, "--kubeconfig", kubeconfig, "get", "service", "svc-production") == nil, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, may); err != nil {
		return remove, err
	}
	site.Flags = []string{"--kubeconfig", kubeconfig}
	return func(ctx context.Context) error {
		site.Flags = nil
		return remove(ctx)
	}, nil
}
