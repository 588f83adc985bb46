package rollout

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// given is a pod of green that is named after the Secret that it is given as
// files, and whose container has said at its end what it knows.
func given(secret string, optional bool) *corev1.Pod {
	found := named("green", secret)
	found.Spec = corev1.PodSpec{
		Containers: []corev1.Container{{Name: "shop", Image: "shop:v2"}},
		Volumes:    []corev1.Volume{{Name: "files", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret, Optional: ptr.To(optional)}}}},
	}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Message: "fatal: planted-" + secret}}
	found.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shop", RestartCount: 1, LastTerminationState: ended}}
	return found
}

// said are events about a pod: one with the pod's words, and one of the kubelet's
// own.
func said(pod string) []runtime.Object {
	about := func(name, reason, message string) *corev1.Event {
		return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: pod + name, Namespace: "shop"}, Reason: reason, Message: message,
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: pod, UID: named("green", pod).UID}}
	}
	return []runtime.Object{
		about("-1", "Unhealthy", "Liveness probe failed: no, says planted-"+pod),
		about("-2", "FailedMount", `MountVolume.SetUp failed: secret "x" not found`),
	}
}

// unreadable are pods whose Secrets are read in every way, and what logs of theirs
// say is what they were given.
func unreadable(t *testing.T) (*Runner, []string) {
	t.Helper()
	objects := []runtime.Object{deployment("blue", 2), deployment("green", 5)}
	names := []string{"away", "denied", "gone", "known", "optional"}
	for _, name := range names {
		objects = append(append(objects, given(name, name == "optional")), said(name)...)
	}
	objects = append(objects, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "known", Namespace: "shop"}, Data: map[string][]byte{"key": []byte("planted-known")}})
	runner, _, prepend := newRunner(t, objects...)
	prepend("get", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		switch action.(clienttesting.GetAction).GetName() {
		case "denied":
			return true, nil, forbidden("get", "secrets", "")
		case "away":
			return true, nil, apierrors.NewServiceUnavailable("away")
		}
		return false, nil, nil
	})
	prepend("list", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		_, uid, _ := strings.Cut(action.(clienttesting.ListAction).GetListRestrictions().Fields.String(), "uid-")
		list := &corev1.EventList{}
		for _, event := range said(uid) {
			list.Items = append(list.Items, *event.(*corev1.Event))
		}
		return true, list, nil
	})
	prepend("get", "pods/log", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &runtime.Unknown{Raw: []byte("signing with planted-away planted-denied planted-gone planted-known planted-optional\n")}, nil
	})
	return driving(t, runner, release.DrainAuto), names
}

// What a pod says that has a secret which can't be read is not kept, and who looks
// for it is told why. Everything else is kept.
func TestASilencedPodIsNotKept(t *testing.T) {
	runner, names := unreadable(t)
	runner.Clock, runner.Artefacts = &hurried{FakeClock: testingclock.NewFakeClock(start)}, t.TempDir()
	var told []string
	runner.Progress = func(event Event) { told = append(told, event.Message) }
	seen := runner.preserve(t.Context(), at(Preserve, asked))
	reasons := map[string]string{
		"away":   "secret/away can't be read: away",
		"denied": "secret/denied can't be read: missing right: verb get on resource secrets in namespace shop, for user ana",
		"gone":   `secret/gone can't be read: secrets "gone" not found`,
	}
	for name, reason := range reasons {
		if !strings.Contains(seen.Message, "the logs of "+name+" are left out: "+reason) || !slices.Contains(told, reason+"; what pods log that have it is neither repeated nor kept") {
			t.Errorf("of %s is said %q and %q", name, seen.Message, told)
		}
	}
	directory := filepath.Join(runner.Artefacts, "run", "green")
	// Of each pod the events and the spec, and of two the log, and the one before.
	if seen.Kind != Failed || !strings.HasPrefix(seen.Message, "14 files of green kept in "+directory+", but the logs of ") {
		t.Errorf("preserve = %s (%s)", seen.Kind, seen.Message)
	}
	note, err := os.ReadFile(filepath.Join(directory, "left-out.txt"))
	if err != nil || !strings.Contains(string(note), reasons["denied"]) {
		t.Errorf("the note says %q, %v", note, err)
	}
	for _, name := range names {
		_, silenced := reasons[name]
		log, err := os.ReadFile(filepath.Join(directory, name+".shop.log"))
		if silenced != os.IsNotExist(err) || strings.Contains(string(log), "planted-known") {
			t.Errorf("%s: its log is %q, %v", name, log, err)
		}
		for file, want := range map[string]string{".events.yaml": "MountVolume.SetUp failed", ".yaml": "image: shop:v2"} {
			text, err := os.ReadFile(filepath.Join(directory, name+file))
			if err != nil || !strings.Contains(string(text), want) || (silenced || name == "known") == strings.Contains(string(text), "planted") {
				t.Errorf("%s%s: %v\n%s", name, file, err, text)
			}
		}
	}
}

// A line that is forbidden blocks whoever wrote it; it is quoted only where every
// secret could be hidden in it.
func TestASilencedPodIsNotQuoted(t *testing.T) {
	for name, test := range map[string]struct {
		secret *corev1.Secret
		says   string
	}{
		"all is known": {
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key", Namespace: "shop"}, Data: map[string][]byte{"key": []byte("planted-key")}},
			"key logged at start-up: signing with ***",
		},
		"the Secret is gone": {
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "other", Namespace: "shop"}},
			`key logged at start-up: a line that matches ^signing; the line is left out: secret/key can't be read: secrets "key" not found`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, prepend := newRunner(t, deployment("blue", 2), deployment("green", 1), given("key", false), test.secret)
			prepend("get", "pods/log", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, &runtime.Unknown{Raw: []byte("signing with planted-key\n")}, nil
			})
			runner.Release.Spec.Validation.Logs = &release.LogRule{Forbid: []string{"^signing"}}
			if seen := runner.cleanLogs(t.Context(), at(CleanLogs)); seen.Kind != Failed || seen.Message != test.says {
				t.Errorf("clean-logs = %s (%s), want %s", seen.Kind, seen.Message, test.says)
			}
		})
	}
}

// A header that can't be read may have been sent by another process: whoever got
// it is silenced.
func TestAnUnreadHeaderSilencesAll(t *testing.T) {
	runner, _, _ := newRunner(t)
	runner.Release.Spec.Validation.Health = &release.HTTPProbe{HeadersFrom: map[string]release.SecretSource{"X-Key": {Env: "SHOP_ABSENT"}}}
	secrets := runner.redaction(t.Context(), Preserve, []corev1.Pod{*pod("green")})
	if got, want := secrets.silences(pod("green").Name), "header X-Key can't be read: environment variable SHOP_ABSENT is not set"; got != want {
		t.Errorf("silenced for %q, want %q", got, want)
	}
}

func TestSilenceEvent(t *testing.T) {
	const words = "planted"
	for _, test := range []struct {
		reason, message string
		kept            bool
	}{
		{"Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500", true},
		{"Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500 " + words, false},
		{"Unhealthy", "Liveness probe failed: " + words, false},
		{"ProbeWarning", "Readiness probe warning: Probe terminated redirects, Response body: " + words, false},
		{"FailedPreStopHook", `PreStopHook failed, message: "` + words + `"`, false},
		{"FailedPostStartHook", words, false},
		{"Failed", `Error: secret "database" not found`, true},
		{"Failed", "Error: ImagePullBackOff", true},
		{"Failed", `Error: failed to start container: exec: "` + words + `"`, false},
		{"BackOff", "Back-off restarting failed container shop in pod shop-1", true},
		{"FailedScheduling", "0/3 nodes are available", true},
		{"OfSomebodyElse", words, false},
	} {
		event := corev1.Event{Reason: test.reason, Message: test.message}
		silenceEvent(&event)
		want := leftOut
		if test.kept {
			want = test.message
		}
		if diff := cmp.Diff(want, event.Message); diff != "" {
			t.Errorf("%s: %s", test.reason, diff)
		}
	}
}

func TestSilenceStatus(t *testing.T) {
	ended := func() corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", Message: "planted"}}
	}
	statuses := func() []corev1.ContainerStatus {
		return []corev1.ContainerStatus{{Name: "shop", State: ended(), LastTerminationState: ended()}, {State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Message: "back-off"}}}}
	}
	status := corev1.PodStatus{Message: "evicted", InitContainerStatuses: statuses(), ContainerStatuses: statuses(), EphemeralContainerStatuses: statuses()}
	silenceStatus(&status)
	for _, statuses := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses, status.EphemeralContainerStatuses} {
		first := statuses[0]
		if first.State.Terminated.Message != leftOut || first.LastTerminationState.Terminated.Message != leftOut || first.State.Terminated.ExitCode != 3 || statuses[1].State.Waiting.Message != "back-off" {
			t.Errorf("%+v", statuses)
		}
	}
	if status.Message != "evicted" {
		t.Errorf("%+v", status)
	}
}
