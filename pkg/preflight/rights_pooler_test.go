package preflight

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestPoolerRights(t *testing.T) {
	admin := release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "monitor", Key: "pooler"}}
	for name, test := range map[string]struct {
		declared *release.Pooler
		want     []string
	}{
		"none": {nil, nil},
		"a workload that is asked": {&release.Pooler{Workload: &release.Workload{Kind: "deployment", Name: "pgbouncer"}, Namespace: "data", Admin: admin}, []string{
			"create data pods/portforward ", "get data configmaps ", "get data deployments pgbouncer", "get shop secrets monitor",
			"list data horizontalpodautoscalers ", "list data pods "}},
		"CloudNativePG": {&release.Pooler{CloudNativePG: "shop-rw"}, []string{
			"get shop deployments shop-rw", "get shop poolers shop-rw", "list shop horizontalpodautoscalers ", "list shop pods "}},
		"outside": {&release.Pooler{Instances: 2, Admin: admin}, []string{"get shop secrets monitor"}},
	} {
		all := &rights{namespace: "shop"}
		poolerRights(all, release.Database{Name: "main", Pooler: test.declared})
		var got []string
		for _, right := range all.list {
			resource := right.Resource
			if right.Subresource != "" {
				resource += "/" + right.Subresource
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", right.Verb, right.Namespace, resource, right.Name))
		}
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
