package job

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// impatient is a clock on which every wait is over at once.
type impatient struct{ *testingclock.FakeClock }

func (c impatient) After(duration time.Duration) <-chan time.Time {
	c.Step(duration)
	over := make(chan time.Time, 1)
	over <- c.Now()
	return over
}

// launching is a Launcher over a cluster that is not there, with the service
// account in it.
func launching(t *testing.T, objects ...runtime.Object) (*Launcher, *fake.Clientset, Objects) {
	t.Helper()
	objects = append(objects, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "bluegreen-shop", Namespace: "shop"}})
	client, server := clustertest.New(objects...)
	made, err := Detached(spec(), "green")
	if err != nil {
		t.Fatal(err)
	}
	return &Launcher{Client: client, Clock: impatient{testingclock.NewFakeClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))}}, server, made
}

// nobody never says that it works.
func nobody(context.Context) (string, error) { return "", nil }

// podOf is a pod of the Job with one container in a state.
func podOf(state corev1.ContainerState) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod-1", Namespace: "shop", Labels: map[string]string{LabelJob: "bluegreen-shop-shift-" + run}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{Name: ContainerName, State: state}}},
	}
}

func waitingFor(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// nothingLeft fails the test unless the Job and its ConfigMap are gone.
func nothingLeft(t *testing.T, server *fake.Clientset) {
	t.Helper()
	jobs, err := server.BatchV1().Jobs("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	configs, err := server.CoreV1().ConfigMaps("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs.Items)+len(configs.Items) != 0 {
		t.Errorf("%d Jobs and %d ConfigMaps are left", len(jobs.Items), len(configs.Items))
	}
}

// The ConfigMap goes with the Job.
func TestLaunchReturnsWhoWorks(t *testing.T) {
	launcher, server, objects := launching(t)
	asked := 0
	holder, err := launcher.Launch(t.Context(), objects, func(context.Context) (string, error) {
		if asked++; asked < 3 {
			return "", nil
		}
		return "pod-1", nil
	})
	if err != nil || holder != "pod-1" || asked != 3 {
		t.Fatalf("holder = %q after %d looks, %v", holder, asked, err)
	}
	var order []string
	for _, action := range server.Actions() {
		if action.GetVerb() == "create" {
			order = append(order, action.GetResource().Resource)
		}
	}
	if strings.Join(order, " ") != "jobs configmaps" {
		t.Errorf("created %v", order)
	}
	config, err := server.CoreV1().ConfigMaps("shop").Get(t.Context(), objects.Config.Name, metav1.GetOptions{})
	if err != nil || len(config.OwnerReferences) != 1 || config.OwnerReferences[0].Kind != "Job" || config.OwnerReferences[0].Name != objects.Job.Name {
		t.Errorf("owners = %v, %v", config.OwnerReferences, err)
	}
}

// Whatever keeps a pod from starting is said in one sentence with the remedy,
// long before the deadline, and nothing is left behind.
func TestLaunchSaysWhyNotAndLeavesNothing(t *testing.T) {
	report := func(code int, message string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: string(Report{Code: code, Message: message, Hint: "do this"}.Text())}}
	}
	event := func(message string) *corev1.Event {
		return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "event", Namespace: "shop"}, Reason: "FailedCreate", Message: message,
			InvolvedObject: corev1.ObjectReference{Kind: "Job", Name: "bluegreen-shop-shift-" + run}}
	}
	unschedulable := podOf(waitingFor("", ""))
	unschedulable.Status.ContainerStatuses = nil
	unschedulable.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available: insufficient memory"}}
	evicted := podOf(corev1.ContainerState{})
	evicted.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "the node had no room"}
	for called, test := range map[string]struct {
		object     runtime.Object
		says, hint string
		code       int
		late       bool
	}{
		"the image can't be pulled": {podOf(waitingFor("ErrImagePull", "not found")), "ErrImagePull: not found", "--image-pull-secret", 1, false},
		"again and again":           {podOf(waitingFor("ImagePullBackOff", "Back-off pulling image")), "ImagePullBackOff", "image push", 1, false},
		"no reference":              {podOf(waitingFor("InvalidImageName", "couldn't parse")), "InvalidImageName", "--image", 1, false},
		"no such user":              {podOf(waitingFor("CreateContainerConfigError", "image will run as root")), "CreateContainerConfigError", "image save", 1, false},
		"not for this platform":     {podOf(waitingFor("RunContainerError", "exec format error")), "exec format error", "--platform", 1, false},
		"no right":                  {podOf(report(1, "the service account lacks rights: patch services/shop")), "lacks rights: patch services/shop", "do this", 1, false},
		"the lease is held":         {podOf(report(2, "release shop is held by ana@laptop/1")), "is held by ana@laptop/1", "do this", 2, false},
		"it says nothing":           {podOf(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}}), "exit code 137 (OOMKilled)", "--image", 1, false},
		"another program":           {podOf(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "error: read VERSION"}}), "said: error: read VERSION", "--image", 1, false},
		"Pod Security refuses it":   {event(`pods "x" is forbidden: violates PodSecurity "restricted:latest"`), "violates PodSecurity", "ask an admin", 1, false},
		"no service account":        {event(`pods "x" is forbidden: error looking up service account shop/x: serviceaccount "x" not found`), "serviceaccount", "generate rbac", 1, false},
		"no quota":                  {event(`pods "x" is forbidden: exceeded quota: pods=10`), "exceeded quota", "make room", 1, false},
		"evicted":                   {evicted, "Evicted: the node had no room", "admin", 1, false},
		"no node takes it":          {unschedulable, "insufficient memory", "get events", 1, true},
		"it never begins":           {podOf(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}), "did not work within 1m0s", "get events", 1, true},
	} {
		t.Run(called, func(t *testing.T) {
			launcher, server, objects := launching(t, test.object)
			began := launcher.Clock.Now()
			_, err := launcher.Launch(t.Context(), objects, nobody)
			var refused *StartError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) || !strings.Contains(release.HintOf(err), test.hint) || refused.ExitStatus() != test.code {
				t.Fatalf("err = %v, hint %q", err, release.HintOf(err))
			}
			if took := launcher.Clock.Since(began); test.late != (took >= StartDeadline) {
				t.Errorf("said after %s", took)
			}
			nothingLeft(t, server)
		})
	}
}

func TestLaunchWithoutAServiceAccountCreatesNothing(t *testing.T) {
	launcher, server, objects := launching(t)
	objects.Job.Spec.Template.Spec.ServiceAccountName = "other"
	_, err := launcher.Launch(t.Context(), objects, nobody)
	if err == nil || !strings.Contains(err.Error(), "no service account other in namespace shop") || !strings.Contains(release.HintOf(err), "generate rbac") {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
	for _, action := range server.Actions() {
		if action.GetVerb() != "get" {
			t.Errorf("it did %s %s", action.GetVerb(), action.GetResource().Resource)
		}
	}
}

// A right that is missing is an error, and what was made before goes again.
func TestLaunchWithoutTheRightToCreate(t *testing.T) {
	for _, resource := range []string{"jobs", "configmaps"} {
		launcher, server, objects := launching(t)
		server.PrependReactor("create", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(corev1.Resource(resource), "", errors.New("no"))
		})
		if _, err := launcher.Launch(t.Context(), objects, nobody); !apierrors.IsForbidden(err) {
			t.Errorf("%s: err = %v", resource, err)
		}
		nothingLeft(t, server)
		deleted := 0
		for _, action := range server.Actions() {
			if action.GetVerb() == "delete" {
				deleted++
			}
		}
		if want := map[string]int{"jobs": 0, "configmaps": 1}[resource]; deleted != want {
			t.Errorf("%s: %d objects deleted, want %d", resource, deleted, want)
		}
	}
}

// An API server that is away for a moment is no reason to give up; who
// interrupts takes the Job along, unless it has begun.
func TestLaunchThroughAnAwayServerAndAnInterrupt(t *testing.T) {
	launcher, server, objects := launching(t)
	asked := 0
	server.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("away")
	})
	holder, err := launcher.Launch(t.Context(), objects, func(context.Context) (string, error) {
		if asked++; asked < 5 {
			return "", apierrors.NewServiceUnavailable("away")
		}
		return "pod-1", nil
	})
	if err != nil || holder != "pod-1" {
		t.Errorf("holder = %q, %v", holder, err)
	}

	launcher, server, objects = launching(t)
	launcher.Clock = testingclock.NewFakeClock(time.Unix(0, 0)) // waits for ever
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := launcher.Launch(ctx, objects, nobody); !errors.Is(err, cause) {
		t.Errorf("err = %v", err)
	}
	nothingLeft(t, server)

	launcher, server, objects = launching(t)
	launcher.Clock = testingclock.NewFakeClock(time.Unix(0, 0))
	asked = 0
	holder, err = launcher.Launch(ctx, objects, func(context.Context) (string, error) {
		if asked++; asked == 1 {
			return "", nil
		}
		return "pod-1", nil
	})
	if err != nil || holder != "pod-1" {
		t.Errorf("begun in the moment of the interrupt: holder = %q, %v", holder, err)
	}
	if _, err := server.BatchV1().Jobs("shop").Get(t.Context(), objects.Job.Name, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}
