package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// jobImage is what the image of the program under test is called.
const jobImage = "bluegreen.dev/kubectl-bluegreen:e2e"

// saved is the image of the program under test, made and loaded once.
var saved struct {
	once sync.Once
	err  error
}

// jobs makes the namespace of a scenario one in which Jobs of the product run:
// under the restricted Pod Security standard, with the service account and the
// Role that are generated for it and no other right. The image is made by the
// program itself, of itself. It returns a kubeconfig of that account.
func (s *scenario) jobs() string {
	s.t.Helper()
	saved.once.Do(func() {
		archive := filepath.Join(s.t.TempDir(), "image.tar")
		result := s.run(rollout.CodeDone, "image", "save", "--output", archive, "--tag", jobImage)
		says(s.t, result.Stderr, "saved "+jobImage)
		saved.err = load(s.t.Context(), lab.Current(s.t), archive)
	})
	if saved.err != nil {
		s.t.Fatal(saved.err)
	}
	s.byHand("label", "namespace", s.shop.Namespace, "pod-security.kubernetes.io/enforce=restricted")
	return s.generatedAccount("--jobs")
}

// load gives an archive to the cluster's node.
func load(ctx context.Context, current *lab.Lab, archive string) error {
	tag, err := name.NewTag(jobImage)
	if err != nil {
		return err
	}
	read, err := tarball.ImageFromPath(archive, &tag)
	if err != nil {
		return err
	}
	return current.LoadImage(ctx, jobImage, read)
}

// account makes a service account with rights in the whole cluster.
func (s *scenario) account(called string, rules []rbacv1.PolicyRule) {
	s.t.Helper()
	s.byHand("create", "serviceaccount", called)
	if rules == nil {
		return
	}
	rbac, role := place(s.t).Client.Kubernetes.RbacV1(), s.shop.Namespace+"-"+called
	granted := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: role}, Rules: rules}
	if _, err := rbac.ClusterRoles().Create(s.t.Context(), granted, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.shop.Namespace, Name: called}}}
	if _, err := rbac.ClusterRoleBindings().Create(s.t.Context(), binding, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx := context.WithoutCancel(s.t.Context())
		_ = rbac.ClusterRoleBindings().Delete(ctx, role, metav1.DeleteOptions{})
		_ = rbac.ClusterRoles().Delete(ctx, role, metav1.DeleteOptions{})
	})
}

// leavesNothing fails the test unless neither a Job, nor what belongs to one,
// nor a record of a run is in the namespace.
func (s *scenario) leavesNothing() {
	s.t.Helper()
	if left := s.byHand("get", "jobs,configmaps,leases", "-l", "bluegreen.dev/release", "-o", "name"); left != "" {
		s.t.Errorf("left behind:\n%s", left)
	}
	s.noJobPods()
}

// noJobPods waits until no pod of a Job is left.
func (s *scenario) noJobPods() {
	s.t.Helper()
	s.eventually("the Jobs' pods are gone", func() bool {
		return s.byHand("get", "pods", "-l", job.LabelJob, "-o", "name") == ""
	})
}

// eventually waits until something holds.
func (s *scenario) eventually(what string, holds func() bool) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), 500*time.Millisecond, hang, true, func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		s.t.Fatalf("wait until %s: %v", what, err)
	}
}

// now is what status says now.
func (s *scenario) now() *rollout.RunStatus {
	s.t.Helper()
	return s.status(s.run(rollout.CodeDone, "status", "-o", "json"))
}

// inPhase waits until the run is in a phase and somebody drives it.
func (s *scenario) inPhase(phase rollout.Phase) *rollout.RunStatus {
	s.t.Helper()
	var status *rollout.RunStatus
	s.eventually("the run is in phase "+string(phase), func() bool {
		result, err := s.shop.Run(s.t.Context(), "status", "-o", "json")
		if err != nil {
			s.t.Fatal(err)
		}
		if status = s.status(result); status.Phase != phase && status.Phase.Terminal() {
			s.t.Fatalf("the run ended as %s (%s) before it was in phase %s", status.Phase, status.Reason, phase)
		}
		return status.Phase == phase && !status.Silent
	})
	return status
}

// jobOf is a condition of the one Job of a purpose, and how many pods of it
// have succeeded.
func (s *scenario) jobOf(purpose job.Purpose) string {
	s.t.Helper()
	return strings.TrimSpace(s.byHand("get", "jobs", "-l", job.LabelPurpose+"="+string(purpose), "-o",
		`jsonpath={range .items[*]}{.status.conditions[?(@.status=="True")].type} {.status.succeeded}{end}`))
}
