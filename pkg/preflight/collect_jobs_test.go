package preflight

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// jobPods are pods that reach a database at a host.
func jobPods(host, pool string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "job", Env: []corev1.EnvVar{
		{Name: "DB_HOST", Value: host}, {Name: "DB_POOL_SIZE", Value: pool}}}}}}
}

func jobNamed(name string, change func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: batchv1.JobSpec{Template: jobPods("db", "2")}}
	if change != nil {
		change(job)
	}
	return job
}

func cronJobNamed(name string, policy batchv1.ConcurrencyPolicy, change func(*batchv1.CronJob)) *batchv1.CronJob {
	cronJob := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: batchv1.CronJobSpec{ConcurrencyPolicy: policy, JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: jobPods("db", "2")}}}}
	if change != nil {
		change(cronJob)
	}
	return cronJob
}

// withJobs are the inputs of a release whose colours reach a database at db, with
// objects beside them.
func withJobs(t *testing.T, prepare func(*fake.Clientset), objects ...runtime.Object) Inputs {
	t.Helper()
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		for _, object := range objects {
			if err := client.Tracker().Add(object); err != nil {
				t.Fatal(err)
			}
		}
		if prepare != nil {
			prepare(client)
		}
	})
	in.Release.Spec.Databases = []release.Database{{Name: "main"}}
	return in
}

// beside are facts of a release whose colours reach a database at db.
func beside(in Inputs) *Facts {
	facts := healthy()
	facts.Release = in.Release
	for _, color := range []string{"blue", "green"} {
		facts.container(color, func(container *corev1.Container) {
			container.Env = append(container.Env, corev1.EnvVar{Name: "DB_HOST", Value: "db"})
		})
	}
	return facts
}

// runOf is a run of a CronJob that is under way.
func runOf(cronJob string, number int) *batchv1.Job {
	return jobNamed(fmt.Sprintf("%s-%d", cronJob, number), func(job *batchv1.Job) {
		job.OwnerReferences = []metav1.OwnerReference{{Kind: "CronJob", Name: cronJob, Controller: ptr.To(true)}}
	})
}

func TestJobsBesideTheColors(t *testing.T) {
	ended := func(kind batchv1.JobConditionType) func(*batchv1.Job) {
		return func(job *batchv1.Job) {
			job.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue}}
		}
	}
	file := filepath.Join(t.TempDir(), "green.yaml")
	manifest := `apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {parallelism: 3, template: {spec: {containers: [{name: m, env: [{name: DB_HOST, value: db}]}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: done}
spec: {template: {spec: {containers: [{name: m, env: [{name: DB_HOST, value: db}]}]}}}
`
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	in := withJobs(t, nil,
		jobNamed("import", func(job *batchv1.Job) {
			job.Spec.Parallelism, job.Spec.Completions = ptr.To(int32(5)), ptr.To(int32(6))
			job.Status.Succeeded, job.Status.Active = 3, 3
		}),
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "import-done", Labels: map[string]string{"job-name": "import"}}, Status: corev1.PodStatus{Phase: corev1.PodSucceeded, PodIPs: []corev1.PodIP{{IP: "10.9.0.2"}}}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "import-failed", Labels: map[string]string{"job-name": "import"}}, Status: corev1.PodStatus{Phase: corev1.PodFailed, PodIPs: []corev1.PodIP{{IP: "10.9.0.3"}}}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "import-x", Labels: map[string]string{"job-name": "import"}}, Status: corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "10.9.0.1"}}}},
		jobNamed("done", ended(batchv1.JobComplete)), jobNamed("failed", ended(batchv1.JobFailed)),
		jobNamed("suspended", func(job *batchv1.Job) { job.Spec.Suspend = ptr.To(true) }),
		jobNamed("elsewhere", func(job *batchv1.Job) { job.Spec.Template = jobPods("other-db", "9") }),
		jobNamed("ours", func(job *batchv1.Job) { job.Labels = map[string]string{cluster.LabelRelease: "shop"} }),
		cronJobNamed("tidy", batchv1.ForbidConcurrent, nil), cronJobNamed("report", "", nil),
		cronJobNamed("asleep", batchv1.AllowConcurrent, func(cronJob *batchv1.CronJob) { cronJob.Spec.Suspend = ptr.To(true) }),
		jobNamed("tidy-123", func(job *batchv1.Job) {
			job.OwnerReferences = []metav1.OwnerReference{{Kind: "CronJob", Name: "tidy", Controller: ptr.To(true)}}
		}),
		runOf("report", 1), runOf("report", 2), runOf("report", 3),
		jobNamed("asleep-123", func(job *batchv1.Job) {
			job.OwnerReferences = []metav1.OwnerReference{{Kind: "CronJob", Name: "asleep", Controller: ptr.To(true)}}
		}),
	)
	in.Manifests = map[string][]string{"green": {file}}
	facts := beside(in)
	facts.Jobs = jobs(t.Context(), in, facts)
	if !facts.Jobs.Known {
		t.Fatal(facts.Jobs.Problem)
	}
	got := map[string]string{}
	for _, job := range facts.Jobs.Value {
		got[job.called()] = strings.Trim(strings.Join([]string{job.Uses["main"].By, job.Uses["main"].Pool.String(), strings.Repeat("|", job.Pods), job.Manifest, strings.Join(job.Addresses, " ")}, " "), " ")
		if job.Overlaps != (job.Name == "report") {
			t.Errorf("%s overlaps: %t", job.Name, job.Overlaps)
		}
	}
	want := map[string]string{
		"job/import": "host db.shop 2 |||  10.9.0.1", "cronjob/tidy": "host db.shop 2 |", "cronjob/report": "host db.shop 2 |||",
		"job/asleep-123": "host db.shop 2 |", "job/migrate": "host db.shop ? ||| green",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	budget, _, _ := facts.Budget("main")
	if !strings.Contains(budget.Arithmetic[0], "+ cronjob/report 3 × 2 + cronjob/tidy 1 × 2 + job/asleep-123 1 × 2 + job/import 3 × 2 + job/migrate 3 × ? =") {
		t.Errorf("arithmetic = %s", budget.Arithmetic[0])
	}
	finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")[0]
	if finding.Outcome != Warn || !strings.Contains(finding.Cause, "job/migrate uses the database too (host db.shop, and the manifests of green bring it) and is in no sum") ||
		finding.Evidence["pool of job/import"] != "2 (job/import env DB_POOL_SIZE, configured), told by host db.shop" {
		t.Errorf("%s: %s\n%v", finding.Outcome, finding.Cause, finding.Evidence)
	}
	assertReplayed(t, facts)
}

// Jobs that may not be listed warn, and nothing is listed where no database is
// declared.
func TestJobsThatMayNotBeListed(t *testing.T) {
	listed := 0
	refuse := func(client *fake.Clientset) {
		for _, resource := range []string{"jobs", "cronjobs"} {
			client.PrependReactor("list", resource, func(kubetesting.Action) (bool, runtime.Object, error) {
				listed++
				return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: resource}, "", errors.New("no"))
			})
		}
	}
	in := withJobs(t, refuse)
	facts := beside(in)
	facts.Jobs = jobs(t.Context(), in, facts)
	finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")[0]
	if finding.Outcome != Warn || finding.Blocks || !strings.Contains(finding.Cause, "Jobs and CronJobs are in no sum") || !strings.Contains(finding.Remedy, "generate rbac") {
		t.Errorf("%s: %s", finding.Outcome, finding.Cause)
	}
	listed, in.Release.Spec.Databases = 0, nil
	if fact := jobs(t.Context(), in, facts); !fact.Known || listed > 0 {
		t.Errorf("without a database: %+v, %d lists", fact, listed)
	}
}

// A Secret that can't be read leaves it open whether a Job uses the database,
// and nothing of one that can is kept.
func TestJobsWithSecrets(t *testing.T) {
	given := func(name string) func(*batchv1.Job) {
		return func(job *batchv1.Job) {
			job.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "DATABASE_URL", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "url"}}}}
		}
	}
	in := withJobs(t, nil, jobNamed("open", given("open")), jobNamed("locked", given("locked")),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "open"}, Data: map[string][]byte{"url": []byte("postgres://app:" + canary("job") + "@db/shop?pool_max_conns=4")}})
	facts := beside(in)
	facts.Jobs = jobs(t.Context(), in, facts)
	budget, _, _ := facts.Budget("main")
	if len(budget.Jobs) != 1 || budget.Jobs[0].Connections != 4 || budget.Jobs[0].Role != "app" {
		t.Errorf("jobs = %+v", budget.Jobs)
	}
	if len(budget.Uncounted) != 1 || !strings.HasPrefix(budget.Uncounted[0], "whether job/locked uses the database is not known: secret/locked could not be read") {
		t.Errorf("uncounted = %q", budget.Uncounted)
	}
	if text := string(saved(t, facts)); strings.Contains(text, canary("job")) {
		t.Error("a password is in the facts")
	}
	// One on a server that the observer is not at is nobody's business here.
	facts.snapshot(func(snapshot *postgres.Snapshot) {
		snapshot.Database, snapshot.Databases = "orders", map[string]postgres.DatabaseState{"orders": {Limit: postgres.NoLimit}}
	})
	if budget, _, _ = facts.Budget("main"); len(budget.Jobs) != 0 {
		t.Errorf("jobs = %+v, want none of a database that is not there", budget.Jobs)
	}
}

// What the annotation states goes before a Secret that can't be read, and an
// optional object that is not there could hold nothing.
func TestJobsThatAreStated(t *testing.T) {
	locked := func(stated string) func(*batchv1.Job) {
		return func(job *batchv1.Job) {
			if stated != "" {
				job.Spec.Template.Annotations = map[string]string{postgres.AnnotationPoolSize: stated}
			}
			job.Spec.Template.Spec.Containers[0].Env = nil
			job.Spec.Template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "locked"}}}}
		}
	}
	in := withJobs(t, func(client *fake.Clientset) {
		client.PrependReactor("get", "secrets", func(kubetesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "locked", errors.New("no"))
		})
	}, jobNamed("silent", locked("")), jobNamed("three", locked("3")), jobNamed("none", locked("0")), jobNamed("slip", locked("many")),
		jobNamed("optional", func(job *batchv1.Job) {
			from := allOf("missing")
			from.ConfigMapRef.Optional = ptr.To(true)
			job.Spec.Template.Spec.Containers[0].Env, job.Spec.Template.Spec.Containers[0].EnvFrom = nil, []corev1.EnvFromSource{from}
		}),
		jobNamed("shares", func(job *batchv1.Job) {
			job.Spec.Template.Annotations = map[string]string{postgres.AnnotationPoolSize: " 0"}
		}))
	facts := beside(in)
	facts.Jobs = jobs(t.Context(), in, facts)
	budget, _, _ := facts.Budget("main")
	got := map[string]string{}
	for _, job := range budget.Jobs {
		got[job.Name] = job.Pool.String() + " by " + job.By
	}
	if diff := cmp.Diff(map[string]string{"job/three": "3 by annotation bluegreen.dev/pool-size", "job/slip": "? by annotation bluegreen.dev/pool-size"}, got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if len(budget.Uncounted) != 2 || !strings.HasPrefix(budget.Uncounted[0], "whether job/silent uses the database is not known: secret/locked could not be read") ||
		!strings.Contains(budget.Uncounted[0], "or 0, with the annotation") {
		t.Errorf("uncounted = %q", budget.Uncounted)
	}
}

// A pooler's clients are the release's only where they are in its sum.
func TestJobsThatAreClientsOfAPooler(t *testing.T) {
	facts := healthy()
	database := facts.Databases["main"]
	config := postgres.NewPoolerConfig()
	config.Databases = []postgres.PoolerDatabase{postgres.AnyPoolerDatabase()}
	database.Pooler = &postgres.Pooler{Name: "deployment/pgbouncer", Instances: 1, Peak: 1, Config: config, Counted: true, Clients: []string{"10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4"}}
	database.Declared.Connections = 0
	facts.Databases["main"] = database
	sized := postgres.PoolSize{Connections: 1, Known: true}
	job := func(name, address string, use JobUse) Job {
		return Job{Kind: "job", Name: name, Pods: 1, Addresses: []string{address}, Uses: map[string]JobUse{"main": use}}
	}
	facts.Jobs = known([]Job{
		job("counted", "10.9.0.1", JobUse{By: "x", Pool: sized}), job("sizeless", "10.9.0.2", JobUse{By: "x"}),
		job("unclear", "10.9.0.3", JobUse{Unclear: "x"}), {Kind: "job", Name: "other", Pods: 1, Addresses: []string{"10.9.0.4"}, Uses: map[string]JobUse{"second": {By: "x", Pool: sized}}},
	})
	budget, ok, why := facts.Budget("main")
	if !ok {
		t.Fatal(why)
	}
	if last := budget.Gates[len(budget.Gates)-1]; last.Name != "clients of deployment/pgbouncer" || last.Others != 3 {
		t.Errorf("%s has %d other clients, want 3 of the pooler", last.Name, last.Others)
	}
}

// Where a database is, is asked for once, however many pods may lead there.
func TestPlacesAreAskedForOnce(t *testing.T) {
	asked := func(cronJobs int) int64 {
		var objects []runtime.Object
		for number := range cronJobs {
			objects = append(objects, cronJobNamed(fmt.Sprintf("report-%d", number), batchv1.ForbidConcurrent, nil))
		}
		in := withJobs(t, nil, objects...)
		in.Release.Spec.Databases = []release.Database{{Name: "main", Observe: release.Observe{DSN: release.SecretSource{Env: "MONITOR_URL"}}}}
		var times atomic.Int64
		in.Getenv = func(string) string { times.Add(1); return "postgres://observer@127.0.0.1:1/shop" }
		Collect(t.Context(), in)
		return times.Load()
	}
	if one, six := asked(1), asked(6); one != six {
		t.Errorf("asked %d times with one CronJob, and %d with six", one, six)
	}
}
