package lab

import (
	"context"
	"fmt"
	"os"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	rbacv1apply "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// accountNamespace is where the service accounts of [Lab.KubeconfigFor] are.
const accountNamespace = "default"

// KubeconfigFor makes a service account with the given rights in the whole
// cluster, and no others, and returns the path of a kubeconfig that logs in as
// it. Calling it again with other rules changes the account's rights.
func (l *Lab) KubeconfigFor(ctx context.Context, name string, rules []rbacv1.PolicyRule) (string, error) {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return "", fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	if err := grant(ctx, client, name, rules); err != nil {
		return "", fmt.Errorf("make service account %s: %w", name, err)
	}
	return l.kubeconfigOf(ctx, client, accountNamespace, name)
}

// KubeconfigOf returns the path of a kubeconfig that logs in as a service
// account that exists, with whatever rights it has.
func (l *Lab) KubeconfigOf(ctx context.Context, namespace, name string) (string, error) {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return "", fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	return l.kubeconfigOf(ctx, client, namespace, name)
}

func (l *Lab) kubeconfigOf(ctx context.Context, client kubernetes.Interface, namespace, name string) (string, error) {
	request := &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](24 * 60 * 60)},
	}
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("make token for service account %s/%s: %w", namespace, name, err)
	}
	certificate, err := os.ReadFile(l.layout.file("server.crt"))
	if err != nil {
		return "", fmt.Errorf("make kubeconfig for service account %s/%s: %w", namespace, name, err)
	}
	path := l.layout.file("accounts", namespace+"."+name+".kubeconfig")
	return path, writeKubeconfig(path, certificate, token.Status.Token)
}

// grant applies a service account, a role of the same name with the rules, and
// what binds them.
func grant(ctx context.Context, client kubernetes.Interface, name string, rules []rbacv1.PolicyRule) error {
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	account := corev1apply.ServiceAccount(name, accountNamespace)
	if _, err := client.CoreV1().ServiceAccounts(accountNamespace).Apply(ctx, account, options); err != nil {
		return err
	}
	role := rbacv1apply.ClusterRole("lab:" + name)
	for _, rule := range rules {
		role.WithRules(rbacv1apply.PolicyRule().WithVerbs(rule.Verbs...).WithAPIGroups(rule.APIGroups...).
			WithResources(rule.Resources...).WithResourceNames(rule.ResourceNames...).WithNonResourceURLs(rule.NonResourceURLs...))
	}
	if _, err := client.RbacV1().ClusterRoles().Apply(ctx, role, options); err != nil {
		return err
	}
	binding := rbacv1apply.ClusterRoleBinding("lab:" + name).
		WithRoleRef(rbacv1apply.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName("lab:" + name)).
		WithSubjects(rbacv1apply.Subject().WithKind(rbacv1.ServiceAccountKind).WithNamespace(accountNamespace).WithName(name))
	_, err := client.RbacV1().ClusterRoleBindings().Apply(ctx, binding, options)
	return err
}
