package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// labelJobName is what every version of Kubernetes puts on the pods of Jobs.
const labelJobName = "job-name"

// jobs reads the Jobs and CronJobs of the release's namespace, and those that the
// target's manifests will make, and keeps what uses a database of the release. It
// comes after the colours, by which that is told.
func jobs(ctx context.Context, in Inputs, facts *Facts) Fact[[]Job] {
	if len(in.Release.Spec.Databases) == 0 {
		return known([]Job{})
	}
	candidates, err := listedJobs(ctx, in)
	if err != nil {
		return notKnown[[]Job](err)
	}
	coming, err := jobsToCome(in, facts.Target, candidates)
	if err != nil {
		return notKnown[[]Job](err)
	}
	reader := jobReader{in: in, lookup: readOnce(ctx, in, facts, facts.Target).lookup(), colors: colorTemplates(facts)}
	found := []Job{}
	for _, candidate := range append(candidates, coming...) {
		if candidate.Pods > 0 && reader.uses(ctx, &candidate) {
			found = append(found, candidate.Job)
		}
	}
	addressJobs(ctx, in, found)
	return known(found)
}

// jobTemplate is a job with what its pods are made from.
type jobTemplate struct {
	Job
	template corev1.PodTemplateSpec
}

// listedJobs are those that are there. One that has ended or is suspended asks
// for no pods. The runs of a CronJob count as that, with as many pods as all that
// are under way may have.
func listedJobs(ctx context.Context, in Inputs) ([]jobTemplate, error) {
	scheduled, err := allCronJobs(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("list cronjobs in %s: %w", in.namespace(), err)
	}
	started, err := allJobs(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("list jobs in %s: %w", in.namespace(), err)
	}
	var found []jobTemplate
	counted, running := map[string]int{}, map[string]int{}
	for _, cronJob := range scheduled {
		one := cronJobTemplate(cronJob)
		if one.Pods > 0 {
			counted[cronJob.Name] = len(found)
		}
		found = append(found, one)
	}
	for _, job := range started {
		if _, ours := job.Labels[cluster.LabelRelease]; ours {
			continue
		}
		one := templateOfJob(job)
		owner := metav1.GetControllerOf(&job)
		if owner != nil && owner.Kind == "CronJob" && one.Pods > 0 {
			if at, scheduled := counted[owner.Name]; scheduled {
				found[at].runs = append(found[at].runs, job.Name)
				running[owner.Name] += one.Pods
				found[at].Pods = max(found[at].Pods, running[owner.Name])
				one.Pods = 0
			}
		}
		found = append(found, one)
	}
	return found, nil
}

func templateOfJob(job batchv1.Job) jobTemplate {
	one := jobTemplate{Job: Job{Kind: "job", Name: job.Name}, template: job.Spec.Template}
	if !ended(job) {
		one.Pods = podsAtOnce(job.Spec, int(job.Status.Succeeded))
	}
	if job.Status.Active > 0 {
		one.runs = []string{job.Name}
	}
	return one
}

func cronJobTemplate(cronJob batchv1.CronJob) jobTemplate {
	one := jobTemplate{Job: Job{Kind: "cronjob", Name: cronJob.Name}, template: cronJob.Spec.JobTemplate.Spec.Template}
	if !ptr.Deref(cronJob.Spec.Suspend, false) {
		one.Pods = podsAtOnce(cronJob.Spec.JobTemplate.Spec, 0)
	}
	one.Overlaps = cronJob.Spec.ConcurrencyPolicy == batchv1.AllowConcurrent || cronJob.Spec.ConcurrencyPolicy == ""
	return one
}

// podsAtOnce is how many pods a Job may still run at once.
func podsAtOnce(spec batchv1.JobSpec, succeeded int) int {
	if ptr.Deref(spec.Suspend, false) {
		return 0
	}
	parallel := int(ptr.Deref(spec.Parallelism, 1))
	if spec.Completions == nil {
		return parallel
	}
	return min(parallel, max(0, int(*spec.Completions)-succeeded))
}

func ended(job batchv1.Job) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(condition batchv1.JobCondition) bool {
		return (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) && condition.Status == corev1.ConditionTrue
	})
}

func allJobs(ctx context.Context, in Inputs) ([]batchv1.Job, error) {
	return everyPage(func(options metav1.ListOptions) ([]batchv1.Job, string, error) {
		page, err := in.Client.Kubernetes.BatchV1().Jobs(in.namespace()).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Continue, nil
	})
}

func allCronJobs(ctx context.Context, in Inputs) ([]batchv1.CronJob, error) {
	return everyPage(func(options metav1.ListOptions) ([]batchv1.CronJob, string, error) {
		page, err := in.Client.Kubernetes.BatchV1().CronJobs(in.namespace()).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Continue, nil
	})
}

// jobsToCome are those of the target's manifests that are not there: its migrator
// for one.
func jobsToCome(in Inputs, target string, there []jobTemplate) ([]jobTemplate, error) {
	if len(in.Manifests[target]) == 0 {
		return nil, nil
	}
	objects, err := cluster.ReadManifests(in.Manifests[target])
	if err != nil {
		return nil, err
	}
	var found []jobTemplate
	for _, object := range objects {
		if object.GroupVersionKind().Group != batchv1.GroupName {
			continue
		}
		var one jobTemplate
		switch object.GetKind() {
		case "Job":
			var job batchv1.Job
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &job)
			one = templateOfJob(job)
		case "CronJob":
			var cronJob batchv1.CronJob
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &cronJob)
			one = cronJobTemplate(cronJob)
		}
		if err != nil {
			return nil, manifestTrouble{fmt.Errorf("read %s/%s of the manifests: %w", strings.ToLower(object.GetKind()), object.GetName(), err)}
		}
		one.Manifest = target
		if !slices.ContainsFunc(there, func(other jobTemplate) bool { return other.called() == one.called() }) {
			found = append(found, one)
		}
	}
	return found, nil
}

// addressJobs fills in the addresses of the pods that run, by which their
// sessions are told from others. Those that are not found count as others.
func addressJobs(ctx context.Context, in Inputs, found []Job) {
	var names []string
	for _, job := range found {
		names = append(names, job.runs...)
	}
	if len(names) == 0 {
		return
	}
	of, err := labels.NewRequirement(labelJobName, selection.In, names)
	if err != nil {
		return
	}
	pods, err := in.Client.Pods(ctx, in.namespace(), labels.NewSelector().Add(*of))
	if err != nil {
		return
	}
	for _, pod := range pods {
		// A pod in its node's network shares the address with others, and that of
		// one that has ended may be another's by now.
		if pod.Spec.HostNetwork || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		for i := range found {
			if slices.Contains(found[i].runs, pod.Labels[labelJobName]) {
				for _, ip := range pod.Status.PodIPs {
					found[i].Addresses = append(found[i].Addresses, ip.IP)
				}
			}
		}
	}
}
