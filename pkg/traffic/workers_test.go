package traffic_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// crews are the workers of a release in a cluster that is not there.
type crews struct {
	t interface {
		Helper()
		Fatal(...any)
	}
	router    traffic.Router
	clientset *fake.Clientset
}

var workersFence = cluster.Fence{Epoch: 4, Holder: "ann@laptop/12"}

// openWorkers has deployments of blue and green, of which a negative count is not
// deployed.
func openWorkers(t interface {
	Helper()
	Fatal(...any)
}, order string, blue, green int32) *crews {
	t.Helper()
	var objects []runtime.Object
	for color, replicas := range map[string]int32{"blue": blue, "green": green} {
		if replicas >= 0 {
			objects = append(objects, routertest.Workers(color, replicas))
		}
	}
	client, clientset := clustertest.New(objects...)
	router, err := traffic.NewRouter(client, routertest.WorkersRelease(order), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	return &crews{t: t, router: router, clientset: clientset}
}

// openSettled is openWorkers with the pods that are wanted.
func openSettled(t interface {
	Helper()
	Fatal(...any)
}, order string, blue, green int32) *crews {
	t.Helper()
	c := openWorkers(t, order, blue, green)
	c.settle()
	return c
}

func (c *crews) settle() {
	c.t.Helper()
	if err := routertest.Settle(c.clientset, routertest.Namespace); err != nil {
		c.t.Fatal(err)
	}
}

// once plans a move by what stands there, and writes what of it can be written.
func (c *crews) once(to traffic.Split, prepared ...func(traffic.Route) traffic.Route) traffic.Patch {
	c.t.Helper()
	route, err := c.router.Read(context.Background())
	if err != nil && !errors.Is(err, traffic.ErrNoColor) {
		c.t.Fatal(err)
	}
	for _, prepare := range prepared {
		route = prepare(route)
	}
	patch, err := c.router.Plan(route, to, workersFence)
	if err != nil {
		c.t.Fatal(err)
	}
	if patch.Blocked() {
		return patch
	}
	if _, err := c.router.Write(context.Background(), patch, false); err != nil {
		c.t.Fatal(err)
	}
	return patch
}

// replicas are those of blue and green.
func (c *crews) replicas() [2]int32 {
	c.t.Helper()
	var found [2]int32
	for i, color := range []string{"blue", "green"} {
		found[i] = *c.deployment(color).Spec.Replicas
	}
	return found
}

func (c *crews) deployment(color string) *appsv1.Deployment {
	c.t.Helper()
	deployment, err := c.clientset.AppsV1().Deployments("shop").Get(context.Background(), "orders-"+color, metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return deployment
}

// scale is somebody else's.
func (c *crews) scale(color string, replicas int32) {
	c.t.Helper()
	deployment := c.deployment(color)
	deployment.Spec.Replicas = ptr.To(replicas)
	if _, err := c.clientset.AppsV1().Deployments("shop").Update(context.Background(), deployment, metav1.UpdateOptions{}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *crews) read() traffic.Route {
	c.t.Helper()
	route, err := c.router.Read(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return route
}

func (c *crews) prove(split traffic.Split) traffic.Proof {
	c.t.Helper()
	proof, err := c.router.Prove(context.Background(), split)
	if err != nil {
		c.t.Fatal(err)
	}
	return proof
}

func TestWorkersConformance(t *testing.T) {
	for _, order := range []string{release.NewFirst, release.OldFirst} {
		t.Run(order, func(t *testing.T) {
			routertest.Run(t, func(t *testing.T) routertest.Fixture {
				c := openWorkers(t, order, 100, 0)
				return routertest.WorkersFixture(c.router, c.clientset, func(*testing.T) {
					c.clientset.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
						return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "orders-blue", errors.New("no"))
					})
				})
			})
		})
	}
}

// The side that takes over is ready before the other ends, at every step and on
// the way back.
func TestNewWorkersAreReadyBeforeOldOnesEnd(t *testing.T) {
	c := openSettled(t, release.NewFirst, 4, 0)
	half, all, none := traffic.Between("green", "blue", 50), traffic.Whole("green"), traffic.Whole("blue")
	for _, step := range []struct {
		to       traffic.Split
		settles  bool
		replicas [2]int32
		awaits   string
		split    string
	}{
		{half, false, [2]int32{4, 2}, "the 2 pods of green have to be ready first", "blue=67,green=33"},
		{half, true, [2]int32{4, 2}, "deployment orders-green: 0/2 replicas", "blue=67,green=33"},
		{half, false, [2]int32{2, 2}, "", "blue=50,green=50"},
		{all, true, [2]int32{2, 4}, "the 4 pods of green have to be ready first", "blue=33,green=67"},
		{all, false, [2]int32{0, 4}, "", "green=100"},
		{none, true, [2]int32{4, 4}, "the 4 pods of blue have to be ready first", "blue=50,green=50"},
		{none, false, [2]int32{4, 0}, "", "blue=100"},
	} {
		patch := c.once(step.to)
		if !strings.Contains(patch.Awaits, step.awaits) || (step.awaits == "") != (patch.Awaits == "") {
			t.Errorf("to %s: awaits %q, want %q", step.to, patch.Awaits, step.awaits)
		}
		if diff := cmp.Diff(step.replicas, c.replicas()); diff != "" {
			t.Errorf("to %s, replicas of blue and green: %s", step.to, diff)
		}
		if route := c.read(); route.Split.String() != step.split {
			t.Errorf("to %s it reads as %s, want %s", step.to, route.Split, step.split)
		}
		if step.settles {
			c.settle()
		}
	}
}

// Two versions never take at once: the old side is gone, those that end among it,
// before the other begins.
func TestOldWorkersAreGoneBeforeNewOnesBegin(t *testing.T) {
	c := openSettled(t, release.OldFirst, 2, 0)
	pods := c.clientset.CoreV1().Pods("shop")
	if patch := c.once(traffic.Whole("green")); patch.Awaits != "the pods of blue have to be gone first" || c.replicas() != [2]int32{0, 0} {
		t.Fatalf("awaits %q with %v", patch.Awaits, c.replicas())
	}
	route := c.read()
	if len(route.Split) != 0 || route.Origin != "blue" {
		t.Errorf("between the two it reads as %q from %q", route.Split, route.Origin)
	}
	if patch := c.once(traffic.Whole("green")); !patch.Blocked() || patch.Awaits != "2 pods of blue are still ending" {
		t.Fatalf("awaits %q", patch.Awaits)
	}
	for _, name := range []string{"orders-blue-0", "orders-blue-1"} {
		if err := pods.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if patch := c.once(traffic.Whole("green")); patch.Awaits != "" || c.replicas() != [2]int32{0, 2} {
		t.Errorf("awaits %q with %v", patch.Awaits, c.replicas())
	}
	if _, err := c.router.Plan(c.read(), traffic.Between("green", "blue", 50), workersFence); !errors.Is(err, traffic.ErrUnsupportedSplit) {
		t.Errorf("a part: %v", err)
	}
}

// Wherever a move is cut off, the Deployments alone say whence it came, and that
// it goes on.
func TestWorkersMoveThatIsCutOff(t *testing.T) {
	for cut := range 3 {
		c := openSettled(t, release.NewFirst, 3, 0)
		writes := 0
		c.clientset.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			writes++
			return writes > cut, nil, apierrors.NewServiceUnavailable("gone")
		})
		patch, err := c.router.Plan(c.read(), traffic.Whole("green"), workersFence)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.router.Write(t.Context(), patch, false)
		if (err == nil) != (cut == 2) {
			t.Fatalf("after %d writes: %v", cut, err)
		}
		writes = -100
		route := c.read()
		if cut == 2 && (route.Origin != "blue" || route.Split.Sole() != "") || cut < 2 && route.Split.Sole() != "blue" {
			t.Errorf("after %d writes it is %s, from %q", cut, route.Split, route.Origin)
		}
		for range 3 {
			c.once(traffic.Whole("green"))
			c.settle()
		}
		if route := c.read(); route.Split.Sole() != "green" || route.Origin != "blue" || c.replicas() != [2]int32{0, 3} {
			t.Errorf("after %d writes, and on: %s from %q with %v", cut, route.Split, route.Origin, c.replicas())
		}
	}
}

// A second release goes the other way, and is cut off: the record of the first
// must not say whence it came.
func TestWorkersComeFromWhereTheyCameLast(t *testing.T) {
	c := openSettled(t, release.NewFirst, 2, 0)
	for range 2 {
		c.once(traffic.Whole("green"))
		c.settle()
	}
	c.once(traffic.Whole("blue"))
	if route := c.read(); route.Origin != "green" || !route.Previous.Equal(traffic.Whole("green")) {
		t.Errorf("from %q, previous %s; want green", route.Origin, route.Previous)
	}
}

// An old side that can't be ready keeps a bad one no longer than it is waited for;
// and two versions that must not take at once never do for that.
func TestWorkersThatAreNotReady(t *testing.T) {
	c := openSettled(t, release.NewFirst, 0, 2)
	c.once(traffic.Whole("blue"), traffic.Route.Back)
	if patch := c.once(traffic.Whole("blue"), traffic.Route.Back); !patch.Blocked() || c.replicas()[1] != 2 {
		t.Fatalf("not waited for: %+v with %v", patch.Awaits, c.replicas())
	}
	if c.once(traffic.Whole("blue"), traffic.Route.Back, traffic.Route.Unready); c.replicas()[1] != 0 {
		t.Errorf("waited for: %v", c.replicas())
	}
	c = openSettled(t, release.OldFirst, 0, 2)
	c.once(traffic.Whole("blue"), traffic.Route.Back)
	if patch := c.once(traffic.Whole("blue"), traffic.Route.Back, traffic.Route.Unready); !patch.Blocked() || c.replicas() != [2]int32{0, 0} {
		t.Errorf("two versions: %v", c.replicas())
	}
}

// A target that is made by its manifests takes nothing from the live side before
// it is there; a side that was deleted is no way back.
func TestWorkersThatAreNotDeployed(t *testing.T) {
	for _, order := range []string{release.NewFirst, release.OldFirst} {
		c := openSettled(t, order, 2, -1)
		if patch := c.once(traffic.Whole("green")); !patch.Blocked() || patch.Awaits != "deployment/orders-green does not exist" {
			t.Errorf("%s: awaits %q", order, patch.Awaits)
		}
		if _, err := c.router.Write(t.Context(), mustPlan(t, c, traffic.Whole("green")), true); err != nil {
			t.Errorf("%s: dry run: %v", order, err)
		}
		if _, err := c.router.Plan(c.read().Back(), traffic.Whole("green"), workersFence); err == nil || !strings.Contains(err.Error(), "no way back") {
			t.Errorf("%s: back: %v", order, err)
		}
	}
}

// The line by hand waits for the pods of the side that ends and for nobody else's,
// whether that side is deployed yet or not.
func TestWorkersByHand(t *testing.T) {
	for _, test := range []struct {
		green int32
		waits string
	}{
		{2, `wait pod -l "app=orders,version=green" --for=delete`},
		{-1, `wait pod -l "$(kubectl -n shop get deployment/orders-green -o jsonpath='{.spec.selector.matchLabels}' | tr -d '{}"' | tr : =)" --for=delete`},
	} {
		c := openSettled(t, release.OldFirst, 2, test.green)
		route, err := c.router.Read(t.Context())
		if err != nil && !errors.Is(err, traffic.ErrNoColor) {
			t.Fatal(err)
		}
		if line := c.router.Undo(route, "blue"); !strings.Contains(line, test.waits) {
			t.Errorf("%d pods of green: %s\nwant %s", test.green, line, test.waits)
		}
	}
}

func mustPlan(t *testing.T, c *crews, to traffic.Split) traffic.Patch {
	t.Helper()
	patch, err := c.router.Plan(c.read(), to, workersFence)
	if err != nil {
		t.Fatal(err)
	}
	return patch
}

// The target gets what the live side has at least, and the way back restores what
// there was, whoever scaled it before.
func TestWorkersCounts(t *testing.T) {
	c := openSettled(t, release.NewFirst, 2, 0)
	c.scale("blue", 5) // its autoscaler
	c.settle()
	c.once(traffic.Whole("blue")) // the stamp of a run that begins
	for range 2 {
		c.once(traffic.Whole("green"))
		c.settle()
	}
	if c.replicas() != [2]int32{0, 5} {
		t.Errorf("replicas %v", c.replicas())
	}
	c.scale("green", 8)
	c.settle()
	for range 2 {
		c.once(traffic.Whole("blue"), traffic.Route.Back)
		c.settle()
	}
	if c.replicas() != [2]int32{5, 0} {
		t.Errorf("back: replicas %v", c.replicas())
	}
}

// What somebody scales at a step is no step any more; while one side takes
// everything its count is its autoscaler's.
func TestWorkersThatSomebodyScales(t *testing.T) {
	c := openSettled(t, release.NewFirst, 4, 0)
	half := traffic.Between("green", "blue", 50)
	for range 2 {
		c.once(half)
		c.settle()
	}
	c.scale("blue", 4)
	if route := c.read(); route.Split.Equal(half) {
		t.Errorf("4 of blue and 2 of green read as %s", route.Split)
	}
	whole := openSettled(t, release.NewFirst, 4, 0)
	whole.scale("blue", 7)
	if route := whole.read(); route.Split.Sole() != "blue" {
		t.Errorf("7 of blue read as %s", route.Split)
	}
	whole.scale("green", 1) // KEDA sees a job
	if route := whole.read(); route.Split.Sole() != "" {
		t.Errorf("a worker of green reads as %s", route.Split)
	}
}

// A stop that somebody sets on one of the two by hand counts, and the next move
// takes it off, whichever that was.
func TestAStopOnEitherWorkersCounts(t *testing.T) {
	for _, color := range []string{"blue", "green"} {
		c := openSettled(t, release.NewFirst, 2, 0)
		deployment := c.deployment(color)
		metav1.SetMetaDataAnnotation(&deployment.ObjectMeta, cluster.AnnotationStop, "doubled")
		if _, err := c.clientset.AppsV1().Deployments("shop").Update(t.Context(), deployment, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if route := c.read(); route.Stop != "doubled" {
			t.Errorf("on %s: stop %q", color, route.Stop)
		}
		for range 2 {
			c.once(traffic.Whole("green"))
			c.settle()
		}
		if route := c.read(); route.Stop != "" || route.Split.Sole() != "green" {
			t.Errorf("on %s: stop %q is left at %s", color, route.Stop, route.Split)
		}
	}
}

func TestWorkersProof(t *testing.T) {
	c := openSettled(t, release.NewFirst, 2, 0)
	if proof := c.prove(traffic.Whole("blue")); !proof.Proven || proof.Message != "2/2 pods of blue are ready; no pod of green is left to take a job" {
		t.Errorf("proof %+v", proof)
	}
	if proof := c.prove(traffic.Whole("green")); proof.Proven || !strings.Contains(proof.Message, "has blue=100, not green=100") {
		t.Errorf("another split: %+v", proof)
	}
	pods := c.clientset.CoreV1().Pods("shop")
	straggler := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "orders-green-x", Namespace: "shop", Labels: map[string]string{"app": "orders", "version": "green"}}}
	if _, err := pods.Create(t.Context(), straggler, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if proof := c.prove(traffic.Whole("blue")); proof.Proven || !strings.Contains(proof.Message, "pods of green still take jobs: orders-green-x") {
		t.Errorf("a pod of the old side: %+v", proof)
	}
	straggler.DeletionTimestamp = ptr.To(metav1.Now())
	if _, err := pods.Update(t.Context(), straggler, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if proof := c.prove(traffic.Whole("blue")); !proof.Proven || !strings.Contains(proof.Message, "1 still end") {
		t.Errorf("a pod that ends: %+v", proof)
	}
	if err := pods.Delete(t.Context(), "orders-blue-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if proof := c.prove(traffic.Whole("blue")); proof.Proven {
		t.Errorf("a pod is missing: %+v", proof)
	}
}

// Whatever is asked for in whatever order, and whenever the cluster is slow, there
// is a ready worker, or, with oldFirst, there are never two versions.
func TestWorkersInvariants(t *testing.T) {
	for _, order := range []string{release.NewFirst, release.OldFirst} {
		t.Run(order, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := openSettled(t, order, rapid.Int32Range(1, 6).Draw(t, "blue"), 0)
				for range rapid.IntRange(1, 12).Draw(t, "moves") {
					weight := rapid.SampledFrom([]int{0, 30, 50, 100}).Draw(t, "weight")
					if order == release.OldFirst && weight > 0 {
						weight = 100
					}
					back := func(route traffic.Route) traffic.Route {
						if weight == 0 {
							return route.Back()
						}
						return route
					}
					c.once(traffic.Between("green", "blue", weight), back)
					c.holds(order)
					if rapid.Bool().Draw(t, "settles") {
						c.settle()
						c.holds(order)
					}
				}
			})
		})
	}
}

// holds looks at pods: those of the fake cluster stay until they are settled.
func (c *crews) holds(order string) {
	c.t.Helper()
	ready, versions := 0, 0
	for _, color := range []string{"blue", "green"} {
		pods, err := c.clientset.CoreV1().Pods("shop").List(context.Background(), metav1.ListOptions{LabelSelector: "version=" + color})
		if err != nil {
			c.t.Fatal(err)
		}
		// A pod above what is wanted is ending.
		if ready += min(len(pods.Items), int(*c.deployment(color).Spec.Replicas)); len(pods.Items) > 0 || *c.deployment(color).Spec.Replicas > 0 {
			versions++
		}
	}
	if order == release.NewFirst && ready == 0 {
		c.t.Fatal("no worker is ready")
	}
	if order == release.OldFirst && versions > 1 {
		c.t.Fatal("two versions take jobs")
	}
}
