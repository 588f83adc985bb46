package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

func TestStopArguments(t *testing.T) {
	tests := map[string]struct {
		args []string
		want [2]string
	}{
		"words need no quotes": {[]string{"orders", "are", "doubled"}, [2]string{"", "orders are doubled"}},
		"of a Service":         {[]string{"svc/shop", "doubled"}, [2]string{"shop", "doubled"}},
		"a Service, no reason": {[]string{"svc/shop"}, [2]string{"shop", ""}},
		"blank":                {[]string{" "}, [2]string{"", ""}},
		"none":                 {nil, [2]string{"", ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service, reason := stopArguments(test.args)
			if diff := cmp.Diff(test.want, [2]string{service, reason}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServiceArgument(t *testing.T) {
	for text, want := range map[string]string{"svc/shop": "shop", "service/shop": "shop", "services/shop": "shop"} {
		if got, err := serviceArgument(text); err != nil || got != want {
			t.Errorf("serviceArgument(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"shop", "svc/", "/shop", "deployment/shop", "svc/a/b", ""} {
		if got, err := serviceArgument(text); err == nil {
			t.Errorf("serviceArgument(%q) = %q, expected an error", text, got)
		}
	}
}

const shopDocument = `apiVersion: bluegreen.dev/v1alpha1
kind: Release
metadata: {name: shop, namespace: shop}
spec:
  colors:
    blue: {workloads: [deployment/shop-blue], selector: {version: blue}, service: shop-blue}
    green: {workloads: [deployment/shop-green], selector: {version: green}, service: shop-green}
  traffic: {service: {name: shop}}
`

// shop lets an invocation work with the release of shopDocument, in a cluster
// that has its Service and whatever else a test puts there.
func shop(t *testing.T, call *invocation) *fake.Clientset {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	call.file = filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(call.file, []byte(shopDocument), 0o600); err != nil {
		t.Fatal(err)
	}
	server := fake.NewClientset(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "shop"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": "blue"}},
	})
	call.kubeconfig = genericclioptions.NewConfigFlags(true)
	call.connected = &cluster.Client{Kubernetes: server, Namespace: "shop"}
	return server
}

// begun is a run of the shop that somebody else drives, or has left in a phase.
func begun(t *testing.T, server *fake.Clientset, phase rollout.Phase) {
	t.Helper()
	begunIn(t, server, rollout.State{Phase: phase, From: "blue", To: "green"})
}

// begunIn is such a run in a state.
func begunIn(t *testing.T, server *fake.Clientset, state rollout.State) {
	t.Helper()
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	run := journal.Run{ID: "20261122-120000-k7f3q", From: state.From, To: state.To, Phase: string(state.Phase), State: text}
	record := journal.New(server, "shop", "shop", testingclock.NewFakeClock(noon()))
	tenure, err := record.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@desk/2"}, run)
	if err != nil {
		t.Fatal(err)
	}
	// The lease can't be given up in a fake without resourceVersions; what
	// counts is that nobody renews it any more.
	t.Cleanup(func() { _ = tenure.Release(context.Background()) })
}

// stopWatches is what a stop says where it can't tell at once who is there.
const stopWatches = "! stop is set; watching for up to 15s whether bob@desk/2 still drives run 20261122-120000-k7f3q\n"

// changing shows every reader of the lease what change makes of it at that look.
func changing(t *testing.T, server *fake.Clientset, change func(lease *coordinationv1.Lease, look int)) {
	t.Helper()
	lease, err := server.CoordinationV1().Leases("shop").Get(t.Context(), "bluegreen-shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	looks := 0
	server.PrependReactor("get", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
		looks++
		shown := lease.DeepCopy()
		change(shown, looks)
		return true, shown, nil
	})
}

// renewing is a holder that is alive: whoever looks finds the lease renewed, by the
// holder's clock.
func renewing(t *testing.T, server *fake.Clientset) {
	t.Helper()
	changing(t, server, func(lease *coordinationv1.Lease, look int) {
		lease.Spec.RenewTime.Time = lease.Spec.RenewTime.Add(time.Duration(look) * time.Second)
	})
}

// obeying is a holder that has ended its run, and given the lease up, by the second
// look.
func obeying(t *testing.T, server *fake.Clientset) {
	t.Helper()
	changing(t, server, func(lease *coordinationv1.Lease, look int) {
		if look == 2 {
			lease.Spec.HolderIdentity = nil
			if err := server.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("configmaps"), "shop", "bluegreen-shop"); err != nil {
				t.Error(err)
			}
		}
	})
}

// passes lets time pass for whoever waits, a step after another, until the test ends.
func passes(t *testing.T, clock *testingclock.FakeClock, step time.Duration) {
	t.Helper()
	over, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(over); <-ended })
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
				if clock.HasWaiters() {
					clock.Step(step)
				}
			}
		}
	}()
}

// asked are the resources that were read or written, each once.
func asked(server *fake.Clientset) []string {
	var resources []string
	for _, action := range server.Actions() {
		resources = append(resources, action.GetResource().Resource)
	}
	slices.Sort(resources)
	return slices.Compact(resources)
}

// TestStopIsSetWhateverTheRecordSays: the annotation comes first, and exit 0
// with it, also where nothing runs, nobody is there to obey, or that can't be
// read; what is said to roll back does. Neither pods nor anything else is asked
// that may be slow in an incident.
func TestStopIsSetWhateverTheRecordSays(t *testing.T) {
	tests := map[string]struct {
		prepare   func(*testing.T, *fake.Clientset)
		later     time.Duration
		out, note string
	}{
		"no run": {
			func(*testing.T, *fake.Clientset) {}, 0,
			"stop is set; no run is under way, and none begins until it is lifted\n",
			"next: kubectl bluegreen status -f shop.yaml\n",
		},
		"a run": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Watch) }, 0,
			"stop is set; run 20261122-120000-k7f3q of bob@desk/2 rolls back\n",
			"next: kubectl bluegreen status -f shop.yaml -w\n",
		},
		"a finish": {
			func(t *testing.T, server *fake.Clientset) {
				begunIn(t, server, rollout.State{Phase: rollout.Quiet, From: "green", To: "blue", Finish: &rollout.Finish{Idle: "green", Live: "blue"}})
			}, 0,
			"stop is set; run 20261122-120000-k7f3q of bob@desk/2 ends, and leaves what it has not decommissioned\n",
			"next: kubectl bluegreen status -f shop.yaml -w\n",
		},
		"a run whose process was killed": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Watch) }, time.Hour,
			"stop is set; nobody drives run 20261122-120000-k7f3q, for bob@desk/2 is silent in phase watch, so nothing rolls back by itself\n",
			stopWatches + "next: kubectl bluegreen rollback -f shop.yaml\n",
		},
		"a run whose process was killed, by a clock ahead of ours": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Watch) }, -time.Hour,
			"stop is set; nobody drives run 20261122-120000-k7f3q, for bob@desk/2 is silent in phase watch, so nothing rolls back by itself\n",
			stopWatches + "next: kubectl bluegreen rollback -f shop.yaml\n",
		},
		"a run, by a clock behind ours": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Watch); renewing(t, server) }, time.Hour,
			"stop is set; run 20261122-120000-k7f3q of bob@desk/2 rolls back\n",
			stopWatches + "next: kubectl bluegreen status -f shop.yaml -w\n",
		},
		"a run that obeys while it is watched": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Watch); obeying(t, server) }, time.Hour,
			"stop is set; run 20261122-120000-k7f3q of bob@desk/2 rolls back\n",
			stopWatches + "next: kubectl bluegreen status -f shop.yaml -w\n",
		},
		"a run that was held": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Held) }, 0,
			"stop is set; nobody drives run 20261122-120000-k7f3q, which is held, so nothing rolls back by itself\n",
			"next: kubectl bluegreen rollback -f shop.yaml\n",
		},
		"a run that could not go back": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Unproven) }, 0,
			"stop is set; nobody drives run 20261122-120000-k7f3q, which is unproven, so nothing rolls back by itself\n",
			"next: kubectl bluegreen rollback -f shop.yaml\n",
		},
		"a lease that can't be read": {
			func(t *testing.T, server *fake.Clientset) {
				begun(t, server, rollout.Watch)
				server.PrependReactor("get", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
					return true, nil, apierrors.NewInternalError(errors.New("out of order"))
				})
			}, 0,
			"stop is set; a run that is under way rolls back\n",
			"! read lease shop/bluegreen-shop: Internal error occurred: out of order\nnext: kubectl bluegreen rollback -f shop.yaml\n",
		},
		"a record that is damaged": {
			func(t *testing.T, server *fake.Clientset) { begun(t, server, rollout.Watch); damage(t, server) }, 0,
			"stop is set; a run that is under way rolls back\n",
			"! read configmap shop/bluegreen-shop: it has version 2, and this tool knows up to 1\nnext: kubectl bluegreen rollback -f shop.yaml\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			call, out, errOut, clock := bench(t, nil)
			server := shop(t, call)
			test.prepare(t, server)
			clock.Step(test.later)
			server.ClearActions()
			passes(t, clock, time.Second)
			if err := call.stop(t.Context(), "", "orders are doubled"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([2]string{test.out, test.note}, [2]string{out.String(), strings.ReplaceAll(errOut.String(), call.file, "shop.yaml")}); diff != "" {
				t.Error(diff)
			}
			if others := slices.DeleteFunc(asked(server), func(resource string) bool {
				return resource == "configmaps" || resource == "leases" || resource == "services"
			}); len(others) > 0 {
				t.Errorf("asked for %v", others)
			}
			service, err := server.CoreV1().Services("shop").Get(t.Context(), "shop", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := service.Annotations[cluster.AnnotationStop]; got != "orders are doubled" {
				t.Errorf("the annotation says %q", got)
			}
		})
	}
}

// damage makes the record of the shop one of a newer version.
func damage(t *testing.T, server *fake.Clientset) {
	t.Helper()
	object, err := server.CoreV1().ConfigMaps("shop").Get(t.Context(), "bluegreen-shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	object.Data["version"] = "2"
	if _, err := server.CoreV1().ConfigMaps("shop").Update(t.Context(), object, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestStopFailsWhereItIsNotSet: nothing is said to be set that is not.
func TestStopFailsWhereItIsNotSet(t *testing.T) {
	call, out, _, _ := bench(t, nil)
	server := shop(t, call)
	server.PrependReactor("patch", "services", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("out of order"))
	})
	if err := call.stop(t.Context(), "", "orders are doubled"); err == nil || out.Len() > 0 {
		t.Errorf("printed %q, error %v", out, err)
	}
}
