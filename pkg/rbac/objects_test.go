package rbac

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
)

// What binds a Role names it, its kind and everybody that was asked for; an
// object in a place that others share says of which namespace the release is.
func TestObjectsBindEveryRole(t *testing.T) {
	rules := []Rule{{PolicyRule: rbacv1.PolicyRule{Verbs: []string{"get"}}, For: "look"}}
	roles := []Role{{"shop", rules}, {"monitoring", rules}, {"", rules}}
	for name, test := range map[string]struct {
		binding  Binding
		objects  []string
		subjects []rbacv1.Subject
	}{
		"an account": {
			Binding{Release: "web", Namespace: "shop", ServiceAccount: "deployer"},
			[]string{
				"ServiceAccount shop/deployer", "Role shop/bluegreen-web", "RoleBinding shop/bluegreen-web",
				"Role monitoring/bluegreen:shop:web", "RoleBinding monitoring/bluegreen:shop:web",
				"ClusterRole /bluegreen:shop:web", "ClusterRoleBinding /bluegreen:shop:web",
			},
			[]rbacv1.Subject{{Kind: "ServiceAccount", Name: "deployer", Namespace: "shop"}},
		},
		"an account that only checks": {
			Binding{Release: "web", Namespace: "shop", ServiceAccount: "checker", Suffix: "-checks"},
			[]string{
				"ServiceAccount shop/checker", "Role shop/bluegreen-web-checks", "RoleBinding shop/bluegreen-web-checks",
				"Role monitoring/bluegreen:shop:web-checks", "RoleBinding monitoring/bluegreen:shop:web-checks",
				"ClusterRole /bluegreen:shop:web-checks", "ClusterRoleBinding /bluegreen:shop:web-checks",
			},
			[]rbacv1.Subject{{Kind: "ServiceAccount", Name: "checker", Namespace: "shop"}},
		},
		"people": {
			Binding{Release: "web", Namespace: "shop", Groups: []string{"sre", "oncall"}, Users: []string{"ana"}},
			[]string{
				"Role shop/bluegreen-web", "RoleBinding shop/bluegreen-web",
				"Role monitoring/bluegreen:shop:web", "RoleBinding monitoring/bluegreen:shop:web",
				"ClusterRole /bluegreen:shop:web", "ClusterRoleBinding /bluegreen:shop:web",
			},
			[]rbacv1.Subject{
				{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "sre"}, {Kind: "Group", APIGroup: rbacv1.GroupName, Name: "oncall"},
				{Kind: "User", APIGroup: rbacv1.GroupName, Name: "ana"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			previous := ""
			for _, object := range test.binding.Objects(roles) {
				metadata, err := meta.Accessor(object.Object)
				if err != nil {
					t.Fatal(err)
				}
				kind := object.GetObjectKind().GroupVersionKind().Kind
				got = append(got, kind+" "+metadata.GetNamespace()+"/"+metadata.GetName())
				if metadata.GetLabels()["bluegreen.dev/release"] != "web" {
					t.Errorf("%s has labels %v", got[len(got)-1], metadata.GetLabels())
				}
				switch binding := object.Object.(type) {
				case *rbacv1.RoleBinding:
					bound(t, previous, binding.RoleRef, test.subjects, binding.Subjects)
				case *rbacv1.ClusterRoleBinding:
					bound(t, previous, binding.RoleRef, test.subjects, binding.Subjects)
				case *rbacv1.Role:
					previous = "Role " + binding.Name
				case *rbacv1.ClusterRole:
					previous = "ClusterRole " + binding.Name
				}
			}
			if diff := cmp.Diff(test.objects, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func bound(t *testing.T, role string, reference rbacv1.RoleRef, want, got []rbacv1.Subject) {
	t.Helper()
	if reference.Kind+" "+reference.Name != role || reference.APIGroup != rbacv1.GroupName {
		t.Errorf("%+v is bound behind %s", reference, role)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
