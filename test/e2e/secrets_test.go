package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/canary"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// token is a secret that stands in the environment of green.
const token = "canary-token-8d1f60b2"

// plantedSecrets are, by name, the Secrets beside those of the database: one whose
// value is sent in a header of every health probe, and three that green has as
// variables, as a file and as a projected file. The canary is what the service
// would make of it.
var plantedSecrets = map[string]struct{ data, canary string }{
	"canary-header":    {"canary-header-0b7c4e11\n", "canary-header-0b7c4e11"},
	"canary-variables": {"canary-variables-61fa93d0", "canary-variables-61fa93d0"},
	"canary-file":      {"region: eu-west-1\napi_key: canary-file-c2d85a7e\n", "canary-file-c2d85a7e"},
	"canary-projected": {"postgres://shop:canary-projected%2F94e1b3@replica/shop", "canary-projected/94e1b3"},
}

// plant makes the planted Secrets.
func (s *scenario) plant() {
	s.t.Helper()
	for name, planted := range plantedSecrets {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{"CANARY": planted.data}}
		if _, err := place(s.t).Client.Kubernetes.CoreV1().Secrets(s.shop.Namespace).Create(s.t.Context(), secret, metav1.CreateOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// holdPlanted gives a pod the planted Secrets, in each way that there is.
func holdPlanted(pod *corev1.PodSpec) {
	named := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	pod.Volumes = append(pod.Volumes,
		corev1.Volume{Name: "file", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "canary-file"}}},
		corev1.Volume{Name: "projected", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: named("canary-projected")}}},
		}}})
	container := &pod.Containers[0]
	container.EnvFrom = append(container.EnvFrom, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named("canary-variables")}})
	container.VolumeMounts = append(container.VolumeMounts,
		corev1.VolumeMount{Name: "file", MountPath: "/secrets/file", ReadOnly: true},
		corev1.VolumeMount{Name: "projected", MountPath: "/secrets/projected", ReadOnly: true})
}

// sendPlanted has every health probe send the planted header.
func sendPlanted(document *release.Release) {
	document.Spec.Validation.Health.HeadersFrom = map[string]release.SecretSource{
		"X-Canary": {SecretKeyRef: &release.SecretKeyReference{Name: "canary-header", Key: "CANARY"}},
	}
}

// canaries are planted in the Secrets, as variables, as files and in a header, in
// the environment and in the logs of a bad release. Nothing that the program
// prints, keeps in the cluster or keeps on disk repeats them, though it keeps the
// very logs that they stand in.
func TestNoSecretIsEverRepeated(t *testing.T) {
	environment := map[string]string{"FAULTS_ENABLED": "true", "FAULT_ERROR_RATE": "0.05", "API_TOKEN": token}
	s := open(t, shop.Options{Green: shop.Slot{Env: environment, Pod: holdPlanted}, Release: sendPlanted})
	s.plant()
	passwords, err := s.shop.Passwords(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	canaries, logged := slices.Concat(passwords, []string{token}), ""
	for _, name := range slices.Sorted(maps.Keys(plantedSecrets)) {
		canaries = append(canaries, plantedSecrets[name].canary, strings.TrimSpace(plantedSecrets[name].data))
		logged += ", " + plantedSecrets[name].canary
	}
	s.jobs()
	s.production(keepAliveClients, freshClients)
	said := &spoken{}
	for _, output := range []string{"json", "wide", "junit", "sarif", "markdown"} {
		said.hear(s.run(rollout.CodeDone, "check", "-o", output))
	}
	said.hear(s.run(rollout.CodeDone, "check", "--save", "facts.json"))
	said.hear(s.run(rollout.CodeDone, "db", "budget", "-o", "yaml"))
	said.hear(s.run(rollout.CodeDone, "shift", "--dry-run=server", "-o", "yaml"))

	process := s.start("shift", "-o", "json", "--guard", "--image", jobImage)
	s.await("green serves", func(ctx context.Context) error { return s.shop.AwaitLive(ctx, shop.Green) })
	careless := fmt.Sprintf(`{"log": "connected with %s as postgres://shop:%s@db/shop, signing with %s%s"}`, passwords[0], passwords[1], token, logged)
	if err := s.shop.Fault(t.Context(), shop.Green, careless); err != nil {
		t.Fatal(err)
	}
	guard := s.saidByJobs(job.PurposeGuard) // it goes with its run
	shifted := s.ended(process, rollout.CodeRolledBack)
	said.hear(shifted)
	status := s.status(shifted)
	said.hear(s.run(rollout.CodeDone, "status", "-o", "yaml"))
	said.hear(s.run(rollout.CodeDone, "history", status.ID, "-o", "yaml"))
	said.hear(s.run(rollout.CodeDone, "history", "-o", "wide"))
	s.hearTheRest(said)

	kept := s.preserved(status.ID)
	if !strings.Contains(kept, "faults changed") || !strings.Contains(kept, "connected with ***") || !strings.Contains(kept, "signing with ***, ***, ***, ***, ***") {
		t.Errorf("the careless line is not among the logs that were kept:\n%.2000s", kept)
	}
	places := s.keptOnDisk()
	facts, err := os.ReadFile(filepath.Join(s.shop.Folder, "facts.json"))
	if err != nil {
		t.Fatal(err)
	}
	places["the facts that were saved"] = string(facts)
	places["what was printed"] = said.String()
	places["what the guard was and said"] = guard
	places["what the Job that shifts was and said"] = s.saidByJobs(job.PurposeShift)
	for name, text := range s.keptInCluster() {
		places[name] = text
	}
	if len(places) < 5 {
		t.Errorf("looked in %d places only", len(places))
	}
	for place, text := range places {
		if found := canary.Find(text, canaries); len(found) > 0 {
			t.Errorf("%s%s holds canaries %d", promise.Broken, place, found)
		}
	}
}

// saidByJobs is what the Jobs of a purpose are, with all that goes into them, and
// what they have said, which may be nothing.
func (s *scenario) saidByJobs(purpose job.Purpose) string {
	s.t.Helper()
	label := job.LabelPurpose + "=" + string(purpose)
	objects := s.byHand("get", "jobs,pods,configmaps", "-l", label, "-o", "yaml")
	says(s.t, objects, "kind: Job\n", "kind: Pod\n", "kind: ConfigMap\n")
	return objects + s.byHand("logs", "-l", label, "--all-containers", "--tail=-1")
}

// hearTheRest has a Job shift once more, which the faults that are still on send
// back, and listens to it, to who watches it, and to every other command. With the
// manifests, in which the token stands, the Job is refused.
func (s *scenario) hearTheRest(said *spoken) {
	s.t.Helper()
	refused := s.run(rollout.CodeFailed, "shift", "--detach", "--image", jobImage)
	says(s.t, refused.Stderr, "the variable API_TOKEN", "secrets are never stored with a run")
	said.hear(refused)
	if err := s.shop.ChangeRelease(func(document *release.Release) {
		for name, color := range document.Spec.Colors {
			color.Manifests = nil
			document.Spec.Colors[name] = color
		}
	}); err != nil {
		s.t.Fatal(err)
	}
	said.hear(s.run(rollout.CodeDone, "shift", "--detach", "--image", jobImage))
	said.hear(s.run(rollout.CodeRolledBack, "status", "-w"))
	for _, args := range [][]string{
		{"resume"}, {"rollback"}, {"finish", "--dry-run"}, {"stop", "nothing runs"}, {"history", "-o", "json"}, {"signoff"},
		{"explain", "route", "svc/" + shop.Service}, {"explain", "policy"}, {"generate", "rbac", "--jobs", "--live"}, {"generate", "alerts"},
	} {
		result, err := s.shop.Run(s.t.Context(), args...)
		if err != nil || result.Stdout+result.Stderr == "" {
			s.t.Fatalf("%s says nothing: %v", strings.Join(args, " "), err)
		}
		said.hear(result)
	}
}

// spoken is everything that the program has printed.
type spoken struct{ strings.Builder }

func (s *spoken) hear(result shop.Result) { s.WriteString(result.Stdout + result.Stderr) }

// keptOnDisk are the files that runs have left in the shop's folder.
func (s *scenario) keptOnDisk() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join(s.shop.Folder, "bluegreen-runs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// keptInCluster are the objects that runs have left, and what they have put on
// others.
func (s *scenario) keptInCluster() map[string]string {
	s.t.Helper()
	found := map[string]string{
		"leases, events and the route": s.byHand("get", "leases,events,services,endpointslices", "-o", "yaml", "--show-managed-fields"),
	}
	records, err := place(s.t).Client.Kubernetes.CoreV1().ConfigMaps(s.shop.Namespace).List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, record := range records.Items {
		text := fmt.Sprint(record.Annotations, record.Labels, record.Data)
		found["configmap "+record.Name] = text
		for key, packed := range record.BinaryData {
			found["configmap "+record.Name+", "+key] = string(packed)
		}
	}
	return found
}
