package lab

import (
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
)

// faultPatience bounds the wait for the pod behind prometheus-faulty: for a while
// after the API server was away, every pod counts as not ready.
const faultPatience = 2 * time.Minute

// SetPrometheusFault changes how the Service prometheus-faulty in the
// namespace monitoring behaves, once its pod is ready. It needs the addon
// [Monitoring].
func (l *Lab) SetPrometheusFault(ctx context.Context, mode faultproxy.Mode) error {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	var refusal error
	err = wait.PollUntilContextTimeout(ctx, time.Second, faultPatience, true, func(ctx context.Context) (bool, error) {
		refusal = client.CoreV1().RESTClient().Post().Namespace(string(Monitoring)).Resource("services").
			Name("prometheus-faulty:control").SubResource("proxy").Suffix("mode", string(mode)).Do(ctx).Error()
		if apierrors.IsServiceUnavailable(refusal) {
			return false, nil
		}
		return true, refusal
	})
	if err != nil {
		return fmt.Errorf("set Prometheus fault %s: %w", mode, cmp.Or(refusal, err))
	}
	return nil
}
