package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const run = "20261122-153012-k7f3q"

func spec() Spec {
	return Spec{Namespace: "shop", Release: "shop", RunID: run, Image: "registry.example.com/bluegreen@sha256:1", ServiceAccount: "bluegreen-shop",
		Bundle: Bundle{Document: File{Path: "a/" + documentName, Text: "kind: Release"}, Manifests: []File{{Path: "a/deploy/x.yaml", Text: "kind: Deployment"}}}}
}

// both are the objects of either purpose.
func both(t *testing.T, spec Spec) map[Purpose]Objects {
	t.Helper()
	detached, err := Detached(spec, "green")
	if err != nil {
		t.Fatal(err)
	}
	guard, err := Guard(spec, Watch{Silence: 30 * time.Second, Policy: "rollback"})
	if err != nil {
		t.Fatal(err)
	}
	return map[Purpose]Objects{PurposeShift: detached, PurposeGuard: guard}
}

// The pod passes the restricted Pod Security standard, of the first version
// that the product supports and of the newest.
func TestPodIsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for purpose, objects := range both(t, spec()) {
		template := objects.Job.Spec.Template
		for _, version := range []api.Version{api.MajorMinorVersion(1, 25), api.LatestVersion()} {
			for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: version}, &template.ObjectMeta, &template.Spec) {
				if !result.Allowed {
					t.Errorf("%s, %s: %s: %s", purpose, version, result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
		}
		// What the standard does not ask for.
		container, pod := template.Spec.Containers[0], template.Spec
		if !*container.SecurityContext.ReadOnlyRootFilesystem || *pod.SecurityContext.RunAsUser != 65532 || container.Command != nil || !*pod.AutomountServiceAccountToken {
			t.Errorf("%s: %+v", purpose, pod)
		}
		for _, resources := range []corev1.ResourceList{container.Resources.Requests, container.Resources.Limits} {
			if resources.Cpu().IsZero() || resources.Memory().IsZero() {
				t.Errorf("%s: resources = %+v", purpose, container.Resources)
			}
		}
	}
}

// A planted fault is seen, or the test above would say nothing.
func TestRestrictedStandardIsJudged(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	template := both(t, spec())[PurposeShift].Job.Spec.Template
	template.Spec.Containers[0].SecurityContext.Capabilities = nil
	refused := false
	for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &template.ObjectMeta, &template.Spec) {
		refused = refused || !result.Allowed
	}
	if !refused {
		t.Error("a pod that keeps its capabilities passes")
	}
}

func TestArguments(t *testing.T) {
	objects := both(t, spec())
	common := func(purpose string) []string {
		return []string{"job", purpose, "--run", run, "--holder", "$(POD_NAME)", "--report", "/dev/termination-log", "--namespace", "shop", "--file", "/release/a/bluegreen.release"}
	}
	for purpose, want := range map[Purpose][]string{
		PurposeShift: append(common("shift"), "--to", "green"),
		PurposeGuard: append(common("guard"), "--silence", "30s", "--policy", "rollback"),
	} {
		container := objects[purpose].Job.Spec.Template.Spec.Containers[0]
		if diff := cmp.Diff(want, container.Args); diff != "" {
			t.Errorf("%s (-want +got):\n%s", purpose, diff)
		}
		if got := container.Env[0].ValueFrom.FieldRef.FieldPath; got != "metadata.name" {
			t.Errorf("%s: POD_NAME is of %s", purpose, got)
		}
	}
	idle, err := Detached(spec(), "")
	if err != nil || strings.Contains(strings.Join(idle.Job.Spec.Template.Spec.Containers[0].Args, " "), "--to") {
		t.Errorf("args = %v, %v", idle.Job.Spec.Template.Spec.Containers[0].Args, err)
	}
	// What a person wrote is no reference to a variable.
	strange := spec()
	strange.Args, strange.Bundle.Document.Path = []string{"--reason=$(POD_NAME)"}, "$(HOME)/x"
	got := both(t, strange)[PurposeShift].Job.Spec.Template.Spec.Containers[0].Args
	if joined := strings.Join(got, " "); !strings.Contains(joined, "--reason=$$(POD_NAME)") || !strings.Contains(joined, "/release/$$(HOME)/x") {
		t.Errorf("args = %s", joined)
	}
}

// A pod that ends is followed by another, and one that has a result by none:
// the Job says so in terms that Kubernetes 1.25 has.
func TestJobGoesOnUntilThereIsAResult(t *testing.T) {
	for purpose, objects := range both(t, spec()) {
		job := objects.Job.Spec
		want := batchv1.JobSpec{Parallelism: job.Parallelism, Completions: job.Completions, BackoffLimit: job.BackoffLimit,
			TTLSecondsAfterFinished: job.TTLSecondsAfterFinished, Template: job.Template}
		if diff := cmp.Diff(want, job); diff != "" {
			t.Errorf("%s sets more than 1.25 knows (-want +got):\n%s", purpose, diff)
		}
		if *job.BackoffLimit != 6 || *job.TTLSecondsAfterFinished != 86400 || *job.Parallelism != 1 || *job.Completions != 1 || job.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
			t.Errorf("%s: %+v", purpose, job)
		}
		for _, toleration := range job.Template.Spec.Tolerations {
			if *toleration.TolerationSeconds != 30 {
				t.Errorf("%s stays %d s on a node with %s", purpose, *toleration.TolerationSeconds, toleration.Key)
			}
		}
	}
}

func TestNamesAndLabels(t *testing.T) {
	for called, want := range map[string]string{
		"shop":                       "bluegreen-shop-shift-" + run,
		strings.Repeat("a", 63):      "bluegreen-" + strings.Repeat("a", 25) + "-shift-" + run,
		"a23456789012345678901234-b": "bluegreen-a23456789012345678901234-shift-" + run,
	} {
		long := spec()
		long.Release = called
		for purpose, objects := range both(t, long) {
			if purpose == PurposeShift && objects.Job.Name != want {
				t.Errorf("%s: name = %s, want %s", called, objects.Job.Name, want)
			}
			if problems := append(validation.IsDNS1123Label(objects.Job.Name), validation.IsValidLabelValue(objects.Job.Name)...); len(problems) > 0 {
				t.Errorf("%s: %s: %v", called, objects.Job.Name, problems)
			}
			labels := map[string]string{cluster.LabelRelease: called, LabelPurpose: string(purpose), LabelJob: objects.Job.Name}
			for what, got := range map[string]map[string]string{"the Job": objects.Job.Labels, "the ConfigMap": objects.Config.Labels} {
				if diff := cmp.Diff(labels, got); diff != "" {
					t.Errorf("labels of %s (-want +got):\n%s", what, diff)
				}
			}
			if objects.Job.Spec.Template.Labels[LabelJob] != objects.Job.Name || objects.Job.Annotations[AnnotationRun] != run {
				t.Errorf("pods %v, run %v", objects.Job.Spec.Template.Labels, objects.Job.Annotations)
			}
		}
	}
	if both(t, spec())[PurposeGuard].Job.Name == both(t, spec())[PurposeShift].Job.Name {
		t.Error("a guard and the shift of one run are called the same")
	}
}

func TestPullSecret(t *testing.T) {
	with := spec()
	with.PullSecret = "regcred"
	if got := both(t, with)[PurposeShift].Job.Spec.Template.Spec.ImagePullSecrets; len(got) != 1 || got[0].Name != "regcred" {
		t.Errorf("imagePullSecrets = %v", got)
	}
	if got := both(t, spec())[PurposeShift].Job.Spec.Template.Spec.ImagePullSecrets; got != nil {
		t.Errorf("imagePullSecrets = %v, want none", got)
	}
}

func TestIncompleteSpec(t *testing.T) {
	for what, spoil := range map[string]func(*Spec){
		"namespace": func(s *Spec) { s.Namespace = "" }, "release": func(s *Spec) { s.Release = "" }, "run": func(s *Spec) { s.RunID = "" },
		"image": func(s *Spec) { s.Image = "" }, "service account": func(s *Spec) { s.ServiceAccount = "" },
		"too long": func(s *Spec) { s.RunID = strings.Repeat("r", 60) },
	} {
		spoiled := spec()
		spoil(&spoiled)
		if _, err := Detached(spoiled, ""); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// folder writes files, and returns the folder of the document in it.
func folder(t *testing.T, document string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, document), 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, document)
}

// declaring is a release whose green has manifests.
func declaring(manifests ...string) *release.Release {
	return &release.Release{Spec: release.Spec{Colors: map[string]release.Color{"blue": {}, "green": {Manifests: manifests}}}}
}

const service = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"

// The files lie to each other in the pod as they do here, wherever the
// document is, so that what it names is found.
func TestPackKeepsWhereFilesLie(t *testing.T) {
	files := map[string]string{"deploy/green/a.yaml": service, "deploy/green/b.yml": service, "deploy/green/README.md": "no manifest", "c.json": `{"apiVersion":"v1","kind":"Service","metadata":{"name":"y"}}`, "team/own.yaml": service}
	for document, test := range map[string]struct {
		manifests []string
		want      []string
	}{
		".":      {[]string{"deploy/green/", "c.json"}, []string{"bluegreen.release", "c.json", "deploy/green/a.yaml", "deploy/green/b.yml"}},
		"team":   {[]string{"../deploy/green", "own.yaml"}, []string{"team/bluegreen.release", "deploy/green/a.yaml", "deploy/green/b.yml", "team/own.yaml"}},
		"deploy": {[]string{"green/a.yaml", "green"}, []string{"bluegreen.release", "green/a.yaml", "green/b.yml"}},
	} {
		t.Run(document, func(t *testing.T) {
			bundle, err := Pack(declaring(test.manifests...), []byte("kind: Release"), folder(t, document, files))
			if err != nil {
				t.Fatal(err)
			}
			got, keys := []string{}, bundle.data()
			for _, item := range bundle.items() {
				got = append(got, item.Path)
				if problems := validation.IsConfigMapKey(item.Key); len(problems) > 0 || keys[item.Key] == "" {
					t.Errorf("key %s of %s: %v", item.Key, item.Path, problems)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

// What must not lie open is refused, and said without being repeated.
func TestPackRefuses(t *testing.T) {
	const secret = "s3cr3t-of-ana"
	deployment := func(env string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, env: [" + env + "]}]}}}\n"
	}
	for called, test := range map[string]struct {
		manifest, text string
		says, hint     string
	}{
		"a Secret":              {"x.yaml", service + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: database}\nstringData: {url: " + secret + "}\n", "holds Secret/database", "apply the Secret beforehand"},
		"a Secret in a list":    {"x.yaml", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: database}}]\n", "holds Secret/database", "apply the Secret beforehand"},
		"a URL with a password": {"x.yaml", deployment("{name: DATABASE_URL, value: 'postgres://ana:" + secret + "@db/shop'}"), "a connection string", "secretKeyRef"},
		"a password":            {"x.yaml", deployment("{name: PGPASSWORD, value: " + secret + "}"), "the variable PGPASSWORD of Deployment/web", "secretKeyRef"},
		"an API key":            {"x.yaml", deployment("{name: STRIPE_API_KEY, value: " + secret + "}"), "the variable STRIPE_API_KEY", "secretKeyRef"},
		"no text":               {"x.yaml", service + "# \xff\n", "x.yaml", ""},
		"an absolute path":      {"/deploy/x.yaml", service, "absolute path", "relative to the document"},
		"no such file":          {"none.yaml", service, "no such file", ""},
		"too much":              {"x.yaml", service + "# " + strings.Repeat("x", 900<<10), "a ConfigMap takes 900", "apply the manifests beforehand"},
	} {
		t.Run(called, func(t *testing.T) {
			_, err := Pack(declaring(test.manifest), []byte("kind: Release"), folder(t, ".", map[string]string{"x.yaml": test.text}))
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(release.HintOf(err), test.hint) {
				t.Fatalf("err = %v, hint %q", err, release.HintOf(err))
			}
			if strings.Contains(err.Error()+release.HintOf(err), secret) {
				t.Errorf("it says %v", err)
			}
		})
	}
	harmless := deployment("{name: PGPASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}, {name: TOKEN_TTL, value: 5m}, {name: DB, value: 'postgres://db/shop'}, {name: API_TOKEN}")
	if _, err := Pack(declaring("x.yaml"), nil, folder(t, ".", map[string]string{"x.yaml": harmless})); err != nil {
		t.Errorf("a manifest without a secret: %v", err)
	}
}

func TestReport(t *testing.T) {
	report := Report{Code: 2, Message: "release shop is held by ana@laptop/1", Hint: "kubectl bluegreen status -w"}
	if got, reported := ParseReport(string(report.Text())); got != report || !reported {
		t.Errorf("got %+v, %v; want %+v", got, reported, report)
	}
	long := Report{Code: 1, Message: strings.Repeat("é", 4000), Hint: strings.Repeat("x", 4000)}
	text := long.Text()
	if _, reported := ParseReport(string(text)); len(text) > 4096 || !reported {
		t.Errorf("a long report has %d bytes: %s", len(text), text[:40])
	}
	// The end of the log of a program that was killed.
	if got, reported := ParseReport("fatal error: out of memory\n"); reported || got != (Report{Code: 1, Message: "fatal error: out of memory"}) {
		t.Errorf("got %+v", got)
	}
}

// The files of checks go along with every Job: without them the document would be
// refused, and nobody would guard.
func TestFilesOfChecksGoAlong(t *testing.T) {
	home := folder(t, ".", map[string]string{"checks/a.yaml": "kind: CheckSet", "checks/README.md": "no check", "x.yaml": service})
	rel := declaring("x.yaml")
	rel.Spec.Checks.Files = []string{"checks/*.yaml"}
	paths := func(bundle Bundle, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, item := range bundle.items() {
			found = append(found, item.Path)
		}
		return found
	}
	if diff := cmp.Diff([]string{"bluegreen.release", "checks/a.yaml", "x.yaml"}, paths(Pack(rel, []byte("kind: Release"), home))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bluegreen.release", "checks/a.yaml"}, paths(Alone(rel, []byte("kind: Release"), home))); diff != "" {
		t.Error(diff)
	}
	rel.Spec.Checks.Files = []string{"/etc/checks.yaml"}
	if _, err := Alone(rel, nil, home); !errors.Is(err, release.ErrOutside) {
		t.Errorf("got %v", err)
	}
}
