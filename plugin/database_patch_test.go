package plugin

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The lines are a shell's: each becomes one call with the arguments that are
// meant, comments none.
func TestPatchesAreLinesForAShell(t *testing.T) {
	budget := postgres.Budget{Summary: "too many", Changes: []postgres.Change{
		{Color: "blue", To: 9, Setting: &postgres.Setting{Workload: "deployment/shop-blue", Container: "app", Variable: "DB_POOL_SIZE"}},
		{Color: "green", To: 9, Setting: &postgres.Setting{Workload: "deployment/shop-green", ConfigMap: "shop's", Key: "pool"}},
		{Color: "green", To: 9, Field: "deployment/shop-green env DATABASE_URL, parameter pool_max_conns (secret/db)"},
		{To: 7, Setting: &postgres.Setting{Namespace: "data", CloudNativePG: "shop-rw", Variable: "default_pool_size"}},
	}}
	budget.Name, budget.Namespace = "main", "shop"
	var out bytes.Buffer
	call := &invocation{streams: Streams{IOStreams: genericiooptions.IOStreams{Out: &out}}, kubeconfig: genericclioptions.NewConfigFlags(false)}
	budget.Changes = append(budget.Changes, postgres.Change{Color: "red", To: 9, Field: "deployment/shop-red env DB_POOL_SIZE (configmap/shop, key pool) in the manifests of red", InManifests: true})
	manifests := release.Color{Manifests: []string{"deploy"}}
	call.printPatches(&release.Release{Spec: release.Spec{Colors: map[string]release.Color{"green": manifests, "red": manifests, "white": manifests}}}, []postgres.Budget{budget})
	shell := exec.CommandContext(t.Context(), "sh", "-c", "kubectl() { printf '<%s>' \"$@\"; echo; }\n"+out.String())
	calls, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, calls)
	}
	want := []string{
		`<-n><shop><patch><deployment/shop-blue><--type><strategic><-p><{"spec":{"template":{"spec":{"containers":[{"env":[{"name":"DB_POOL_SIZE","value":"9"}],"name":"app"}]}}}}>`,
		`<-n><shop><patch><configmap/shop's><--type><merge><-p><{"data":{"pool":"9"}}>`,
		`<-n><shop><rollout><restart><deployment/shop-green>`,
		`<-n><data><patch><pooler/shop-rw><--type><merge><-p><{"spec":{"pgbouncer":{"parameters":{"default_pool_size":"7"}}}}>`,
	}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(string(calls)), "\n")); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for _, note := range []string{"# set deployment/shop-green env DATABASE_URL, parameter pool_max_conns (secret/db) to 9", "# write the same into the manifests of green",
		"# set deployment/shop-red env DB_POOL_SIZE (configmap/shop, key pool) in the manifests of red to 9: a shift applies that over any patch"} {
		if !strings.Contains(out.String(), note) {
			t.Errorf("%s does not say %q", out.String(), note)
		}
	}
	for _, unchanged := range []string{"red", "white"} {
		if strings.Contains(out.String(), "write the same into the manifests of "+unchanged) {
			t.Errorf("%s: nothing is patched of %s", out.String(), unchanged)
		}
	}
}
