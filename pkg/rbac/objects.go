package rbac

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Binding says of which release Roles are, and whom they are given to.
type Binding struct {
	Release, Namespace string
	// Suffix ends the names of the Roles, "" for those of who shifts.
	Suffix string
	// ServiceAccount is made in the release's namespace; "" makes none.
	ServiceAccount string
	// Groups and Users are those that the cluster's authenticators know.
	Groups, Users []string
}

// Object is one object to apply.
type Object struct {
	runtime.Object
	// Rules are those of a Role, in its order, nil for other kinds.
	Rules []Rule
}

// AccountName is what the account of a release is called unless somebody says
// otherwise.
func AccountName(release string) string { return "bluegreen-" + release }

// Objects are the account and, for each Role, itself and what binds it.
func (b Binding) Objects(roles []Role) []Object {
	var objects []Object
	if b.ServiceAccount != "" {
		objects = append(objects, Object{Object: &corev1.ServiceAccount{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
			ObjectMeta: b.metadata(b.ServiceAccount, b.Namespace),
		}})
	}
	for _, role := range roles {
		objects = append(objects, b.grant(role)...)
	}
	return objects
}

// grant is one Role and its binding. In the namespace of others, and where
// there is none, its name says of which namespace the release is.
func (b Binding) grant(role Role) []Object {
	name := "bluegreen-" + b.Release + b.Suffix
	if role.Namespace != b.Namespace {
		name = "bluegreen:" + b.Namespace + ":" + b.Release + b.Suffix
	}
	reference := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}
	metadata := b.metadata(name, role.Namespace)
	var rules []rbacv1.PolicyRule
	for _, rule := range role.Rules {
		rules = append(rules, rule.PolicyRule)
	}
	if role.Namespace == metav1.NamespaceAll {
		reference.Kind = "ClusterRole"
		return []Object{
			{&rbacv1.ClusterRole{TypeMeta: typeOf("ClusterRole"), ObjectMeta: metadata, Rules: rules}, role.Rules},
			{&rbacv1.ClusterRoleBinding{TypeMeta: typeOf("ClusterRoleBinding"), ObjectMeta: metadata, RoleRef: reference, Subjects: b.subjects()}, nil},
		}
	}
	return []Object{
		{&rbacv1.Role{TypeMeta: typeOf("Role"), ObjectMeta: metadata, Rules: rules}, role.Rules},
		{&rbacv1.RoleBinding{TypeMeta: typeOf("RoleBinding"), ObjectMeta: metadata, RoleRef: reference, Subjects: b.subjects()}, nil},
	}
}

// subjects are those that the Roles are given to, in the order in which they
// were named.
func (b Binding) subjects() []rbacv1.Subject {
	var subjects []rbacv1.Subject
	if b.ServiceAccount != "" {
		subjects = append(subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: b.ServiceAccount, Namespace: b.Namespace})
	}
	for _, name := range b.Groups {
		subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: name})
	}
	for _, name := range b.Users {
		subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name})
	}
	return subjects
}

func (b Binding) metadata(name, namespace string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: map[string]string{cluster.LabelRelease: b.Release}}
}

func typeOf(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
}
