package lab

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
)

// SetPrometheusFault changes how the Service prometheus-faulty in the
// namespace monitoring behaves. It needs the addon [Monitoring].
func (l *Lab) SetPrometheusFault(ctx context.Context, mode faultproxy.Mode) error {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	err = client.CoreV1().RESTClient().Post().Namespace(string(Monitoring)).Resource("services").
		Name("prometheus-faulty:control").SubResource("proxy").Suffix("mode", string(mode)).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("set Prometheus fault %s: %w", mode, err)
	}
	return nil
}
