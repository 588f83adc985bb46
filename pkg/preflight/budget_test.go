package preflight

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// rolling is a Deployment of so many replicas with the default strategy.
func rolling(t *testing.T, strategy appsv1.DeploymentStrategy, replicas int32) cluster.Workload {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "shop-green"},
		Spec:       appsv1.DeploymentSpec{Replicas: ptr.To(replicas), Strategy: strategy, Selector: &metav1.LabelSelector{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	workload, err := cluster.ManifestWorkload(release.Workload{Kind: "deployment", Name: "shop-green"}, &unstructured.Unstructured{Object: content})
	if err != nil {
		t.Fatal(err)
	}
	return *workload
}

// The surge of 25 % is of the pods at the peak and not of those that there
// are before an autoscaler, or the shift, adds more.
func TestSurgeGrowsWithTheReplicas(t *testing.T) {
	for _, test := range []struct {
		name     string
		strategy appsv1.DeploymentStrategy
		want     int
	}{
		{"by default", appsv1.DeploymentStrategy{}, 5},
		{"recreated", appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}, 0},
	} {
		facts := healthy()
		facts.Autoscalers.Value[0] = autoscaler("green", 3, 20)
		demand := facts.demand("main", facts.Colors["green"], rolling(t, test.strategy, 3))
		if demand.Surge != test.want || demand.Maximum != 20 {
			t.Errorf("%s: surge %d of %d pods, want %d of 20", test.name, demand.Surge, demand.Maximum, test.want)
		}
	}
	idle := rolling(t, appsv1.DeploymentStrategy{}, 0)
	back := restored([]cluster.Workload{idle}, healthy())
	if back[0].Replicas != 3 || back[0].MaxSurge != 1 {
		t.Errorf("restored: %d replicas and a surge of %d, want 3 and 1", back[0].Replicas, back[0].MaxSurge)
	}
}

// Each database of a Release has the pools of its own connection strings.
func TestPoolsOfTwoDatabases(t *testing.T) {
	observed := func(name, host string) release.Database {
		return release.Database{Name: name, Observe: release.Observe{DSN: release.SecretSource{Env: "postgres://monitor@" + host + "/" + name}}}
	}
	facts := healthy()
	facts.container("green", func(c *corev1.Container) {
		c.Env = []corev1.EnvVar{{Name: "DATABASE_URL", Value: "postgres://app@db.data/main?pool_max_conns=5"},
			{Name: "REPORTS_URL", Value: "postgres://app@reports.data/reports?pool_max_conns=50"}}
	})
	in := inputs(t, "", "3", nil)
	in.Getenv = func(name string) string { return name }
	in.Release.Spec.Databases = []release.Database{observed("main", "db.data.svc.cluster.local"), observed("reports", "reports.data")}
	pooled := observed("reports", "postgres.data")
	pooled.Name, pooled.Pooler = "pooled", &release.Pooler{Instances: 1}
	in.Release.Spec.Databases = append(in.Release.Spec.Databases, pooled)
	got := map[string]int{}
	for name, of := range pools(t.Context(), in, facts.Colors["green"].Workloads.Value, readOver(t.Context(), in, nil)) {
		got[name] = of["deployment/shop-green"].Whole().Connections
	}
	if diff := cmp.Diff(map[string]int{"main": 5, "reports": 50, "pooled": 50}, got); diff != "" {
		t.Errorf("connections of a pod (-want +got):\n%s", diff)
	}
}

// Sessions that another service holds are others', whatever they are called.
func TestBudgetCountsAnotherServiceAsOthers(t *testing.T) {
	for name, test := range map[string]struct {
		application string
		pooler      *postgres.Pooler
		want        int
	}{
		"another service's colour":  {"cart-green", nil, 44},
		"our name, nobody's pod":    {"shop-green", nil, 44},
		"our name, behind a pooler": {"shop-green", &postgres.Pooler{}, 4},
		"its, behind a pooler":      {"cart-green", &postgres.Pooler{}, 44},
	} {
		facts := healthy()
		facts.database(func(d *Database) { d.Pooler = test.pooler })
		facts.snapshot(func(s *postgres.Snapshot) {
			s.Sessions = append(s.Sessions, postgres.Session{PID: 900, BackendType: "client backend", Database: "shop", Address: "10.4.0.1"})
			for pid := range 40 {
				s.Sessions = append(s.Sessions, postgres.Session{PID: 1000 + pid, BackendType: "client backend", Database: "shop", Application: test.application, Address: "10.9.9.9"})
			}
		})
		if budget, _, _ := facts.Budget("main"); budget.Gates[0].Others != test.want {
			t.Errorf("%s: %d others, want %d", name, budget.Gates[0].Others, test.want)
		}
	}
}

// The address of a pod in its node's network is that of everything there.
func TestIdentitiesLeaveOutTheNodesAddress(t *testing.T) {
	facts := healthy()
	facts.color("green", func(c *Color) {
		c.Owned.Value[0].Spec.HostNetwork = true
		c.Owned.Value = c.Owned.Value[:2]
	})
	if diff := cmp.Diff([]string{"10.5.0.1"}, facts.identities("main")[1].Addresses); diff != "" {
		t.Errorf("addresses of green (-want +got):\n%s", diff)
	}
}

// Whose a session is does not follow from a pod that has ended, is a Job's or does not
// carry the colour's labels, whatever address it has or had.
func TestBudgetGoesByPodsThatMayHoldSessions(t *testing.T) {
	const address = "10.4.0.1" // of a pod of blue
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		others int
	}{
		"another pod of green":     {func(*corev1.Pod) {}, 14}, // given to neither
		"evicted":                  {func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed }, 4},
		"without the colour's own": {func(pod *corev1.Pod) { pod.Labels = map[string]string{"app": "shop"} }, 4},
		"a Job's": {func(pod *corev1.Pod) {
			pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "migrate", Controller: ptr.To(true)}}
		}, 4},
	} {
		facts := healthy()
		facts.color("green", func(c *Color) {
			pod := *c.Owned.Value[0].DeepCopy()
			pod.Name, pod.Status.PodIPs[0].IP = "shop-green-other", address
			test.change(&pod)
			c.Owned = known(append(slices.Clone(c.Owned.Value), pod))
		})
		facts.snapshot(func(s *postgres.Snapshot) {
			for pid := range 10 {
				s.Sessions = append(s.Sessions, postgres.Session{PID: 500 + pid, BackendType: "client backend", Database: "shop", Role: "shop", Address: address})
			}
		})
		if budget, ok, why := facts.Budget("main"); !ok || budget.Gates[0].Others != test.others {
			t.Errorf("%s: %d others (%s), want %d", name, budget.Gates[0].Others, why, test.others)
		}
	}
}

// With pods that can't be read the colours' own sessions would count as others'.
func TestBudgetWithoutPodsIsNotKnown(t *testing.T) {
	facts := healthy()
	facts.color("blue", func(c *Color) { c.Owned = Fact[[]corev1.Pod]{Problem: "list pods in shop: no answer"} })
	if _, ok, why := facts.Budget("main"); ok || why != "list pods in shop: no answer" {
		t.Errorf("known %t: %s", ok, why)
	}
}

// A role that does not exist is none: what the sessions show counts then, and its
// limit is a gate.
func TestBudgetTakesTheRoleThatThereIs(t *testing.T) {
	for written, want := range map[string]string{"shop": "shop", "$(USERNAME)": "live", "": "live"} {
		facts := healthy()
		facts.snapshot(func(s *postgres.Snapshot) {
			s.Roles = map[string]postgres.RoleLimit{"shop": {Limit: postgres.NoLimit}, "live": {Limit: 20}}
			s.Sessions = append(s.Sessions, postgres.Session{PID: 900, BackendType: "client backend", Database: "shop", Role: "live", Address: "10.4.0.1"})
		})
		for _, color := range []string{"blue", "green"} {
			for workload, pool := range facts.Colors[color].Pools["main"] {
				pool.Role = written
				facts.Colors[color].Pools["main"][workload] = pool
			}
		}
		budget, _, _ := facts.Budget("main")
		if got := []string{budget.Colors[0].Role, budget.Colors[1].Role}; got[0] != want || got[1] != want {
			t.Errorf("%q: roles %q, want %q", written, got, want)
		}
	}
}

func TestPodRequestsAreTheSchedulers(t *testing.T) {
	asks := func(cpu string, always bool) corev1.Container {
		container := corev1.Container{Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}}
		if always {
			container.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}
		return container
	}
	for name, test := range map[string]struct {
		init, run []corev1.Container
		want      int64
	}{
		"containers":                     {nil, []corev1.Container{asks("100m", false), asks("50m", false)}, 150},
		"a small init container":         {[]corev1.Container{asks("80m", false)}, []corev1.Container{asks("100m", false)}, 100},
		"a large init container":         {[]corev1.Container{asks("300m", false)}, []corev1.Container{asks("100m", false)}, 300},
		"a sidecar":                      {[]corev1.Container{asks("80m", true)}, []corev1.Container{asks("100m", false)}, 180},
		"an init container beside one":   {[]corev1.Container{asks("80m", true), asks("300m", false)}, []corev1.Container{asks("100m", false)}, 380},
		"an init container before one":   {[]corev1.Container{asks("300m", false), asks("80m", true)}, []corev1.Container{asks("100m", false)}, 300},
		"nothing asked for is nothing":   {nil, []corev1.Container{{}}, 0},
		"what the runtime class charges": {nil, []corev1.Container{asks("100m", false)}, 110},
	} {
		spec := corev1.PodSpec{InitContainers: test.init, Containers: test.run}
		if name == "what the runtime class charges" {
			spec.Overhead = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")}
		}
		if cpu, memory := podRequests(spec); cpu != test.want || memory != 0 {
			t.Errorf("%s: %dm and %d bytes, want %dm and none", name, cpu, memory, test.want)
		}
	}
}
