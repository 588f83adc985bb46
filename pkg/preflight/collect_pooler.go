package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// cnpgPoolers are the Poolers of CloudNativePG, each of which has a Deployment
// of its name.
var cnpgPoolers = schema.GroupVersionResource{Group: "postgresql.cnpg.io", Version: "v1", Resource: "poolers"}

// pooler reads what stands before a database, nil where nothing is declared:
// how many instances from the cluster, what each may open from its admin
// console, else from its configuration in the cluster.
func pooler(ctx context.Context, in Inputs, declared release.Database) *postgres.Pooler {
	if declared.Pooler == nil {
		return nil
	}
	reader := poolerReader{in: in, declared: *declared.Pooler, database: declared.Name, dial: in.Client.DialPod,
		namespace: cmp.Or(declared.Pooler.Namespace, in.namespace())}
	found := &postgres.Pooler{Name: poolerName(*declared.Pooler)}
	if err := reader.read(ctx, found); err != nil {
		found.Problem = cluster.Explain(err).Error()
	}
	return found
}

func poolerName(declared release.Pooler) string {
	switch {
	case declared.Workload != nil:
		return declared.Workload.String()
	case declared.CloudNativePG != "":
		return "pooler/" + declared.CloudNativePG
	}
	return "pgbouncer"
}

type poolerReader struct {
	in        Inputs
	declared  release.Pooler
	database  string
	namespace string
	// dial opens a connection to a pod's port.
	dial func(ctx context.Context, namespace, pod string, port int) (net.Conn, error)
}

func (r poolerReader) read(ctx context.Context, into *postgres.Pooler) error {
	if r.declared.Instances > 0 {
		into.Instances, into.Peak = r.declared.Instances, r.declared.Instances
		return r.askOutside(ctx, into)
	}
	ref := release.Workload{Kind: "deployment", Name: r.declared.CloudNativePG}
	if r.declared.Workload != nil {
		ref = *r.declared.Workload
	}
	workload, err := r.in.Client.Workload(ctx, r.namespace, ref)
	if err != nil {
		return err
	}
	pods, err := r.in.Client.Pods(ctx, r.namespace, workload.Selector)
	if err != nil {
		return err
	}
	if err := r.count(ctx, into, *workload, pods); err != nil {
		return err
	}
	config, unread := r.configuration(ctx, *workload)
	if config.Setting != nil {
		config.Setting.Namespace = r.namespace
	}
	if r.declared.Admin.IsZero() {
		into.Config = config
		return unread
	}
	asked, clients, err := r.askPods(ctx, pods)
	switch {
	case err == nil:
		into.Config, into.Clients, into.Counted = withDefaultEntry(asked, config), clients, true
		into.Config.Where, into.Config.Setting = cmp.Or(config.Where, asked.Where), config.Setting
		return nil
	case unread == nil: // its file says enough; Counted tells that it was not asked
		into.Config = config
		return nil
	}
	return errors.Join(err, unread)
}

// count takes for the instances those that serve now and, for the peak, all
// that there may be at once.
func (r poolerReader) count(ctx context.Context, into *postgres.Pooler, workload cluster.Workload, pods []corev1.Pod) error {
	peak := workload.Replicas
	scaled := r.in
	release := *r.in.Release
	release.Metadata.Namespace, scaled.Release = r.namespace, &release
	autoscalers := autoscalers(ctx, scaled)
	if !autoscalers.Known {
		return errors.New("whether an autoscaler adds instances: " + autoscalers.Problem)
	}
	for _, autoscaler := range autoscalers.Value {
		if cluster.Autoscales(autoscaler, workload.Ref) {
			peak = max(peak, autoscaler.Spec.MaxReplicas)
		}
	}
	into.Instances = int(workload.Replicas)
	into.Peak = int(peak+surgeAt(workload, peak)) + terminating(pods, workload)
	for _, pod := range pods {
		for _, ip := range pod.Status.PodIPs {
			if !pod.Spec.HostNetwork {
				into.Addresses = append(into.Addresses, ip.IP)
			}
		}
	}
	return nil
}

// withDefaultEntry is what a console told with the entry * of the file: the
// console tells only the databases that somebody has asked for.
func withDefaultEntry(asked, file postgres.PoolerConfig) postgres.PoolerConfig {
	at := slices.IndexFunc(file.Databases, func(entry postgres.PoolerDatabase) bool { return entry.Name == "*" })
	if at >= 0 && !slices.ContainsFunc(asked.Databases, func(entry postgres.PoolerDatabase) bool { return entry.Name == "*" }) {
		asked.Databases = append(asked.Databases, file.Databases[at])
	}
	return asked
}

// configuration reads what the cluster holds of the configuration.
func (r poolerReader) configuration(ctx context.Context, workload cluster.Workload) (postgres.PoolerConfig, error) {
	if r.declared.CloudNativePG == "" {
		return postgres.PoolerOf(ctx, postgres.PoolInput{Workload: workload.Ref.String(), Template: workload.Template,
			Lookup: func(ctx context.Context, kind, name string) (map[string]string, error) {
				if kind == "secret" {
					return nil, errors.New("its configuration is not looked for in Secrets: declare pooler.admin")
				}
				held, err := contentsOf(ctx, r.in, r.namespace, kind, name)
				return held.text, err
			}})
	}
	object, err := r.in.Client.Dynamic.Resource(cnpgPoolers).Namespace(r.namespace).Get(ctx, r.declared.CloudNativePG, metav1.GetOptions{})
	if err != nil {
		return postgres.PoolerConfig{}, fmt.Errorf("read pooler/%s in %s: %w", r.declared.CloudNativePG, r.namespace, err)
	}
	parameters, _, err := unstructured.NestedStringMap(object.Object, "spec", "pgbouncer", "parameters")
	if err != nil {
		return postgres.PoolerConfig{}, fmt.Errorf("read spec.pgbouncer.parameters of pooler/%s: %w", r.declared.CloudNativePG, err)
	}
	config := postgres.NewPoolerConfig()
	config.Where = "pooler/" + r.declared.CloudNativePG + " spec.pgbouncer.parameters"
	config.Setting = &postgres.Setting{CloudNativePG: r.declared.CloudNativePG, Variable: "default_pool_size"}
	config.Databases = []postgres.PoolerDatabase{postgres.AnyPoolerDatabase()}
	for name, value := range parameters {
		if err := config.Set(name, value); err != nil {
			return postgres.PoolerConfig{}, err
		}
	}
	return config, nil
}

// askPods asks every ready pod. They must agree: one that was not restarted
// after a change has what nobody reckons with.
func (r poolerReader) askPods(ctx context.Context, pods []corev1.Pod) (config postgres.PoolerConfig, clients []string, err error) {
	asked := 0
	for i := range pods {
		if !cluster.PodReadiness(&pods[i]).Successful {
			continue
		}
		name := pods[i].Name
		found, its, err := r.ask(ctx, func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			number, err := strconv.Atoi(port)
			if err != nil {
				return nil, err
			}
			return r.dial(ctx, r.namespace, name, number)
		})
		switch {
		case err != nil:
			return postgres.PoolerConfig{}, nil, fmt.Errorf("pod %s: %w", name, err)
		case asked > 0 && !alike(config, found):
			return postgres.PoolerConfig{}, nil, fmt.Errorf("pod %s is configured otherwise than another one: restart what runs with an old configuration", name)
		}
		config, clients, asked = found, append(clients, its...), asked+1
	}
	if asked == 0 {
		return postgres.PoolerConfig{}, nil, errors.New("none of its pods is ready")
	}
	return config, clients, nil
}

// alike leaves out the entries: each instance tells those that it was asked for.
func alike(a, b postgres.PoolerConfig) bool {
	a.Databases, b.Databases = nil, nil
	return reflect.DeepEqual(a, b)
}

// askOutside asks one instance where the connection string leads; others are
// taken to be like it, and their clients are not counted.
func (r poolerReader) askOutside(ctx context.Context, into *postgres.Pooler) error {
	config, clients, err := r.ask(ctx, nil)
	if err != nil {
		return err
	}
	into.Config, into.Clients, into.Counted = config, clients, r.declared.Instances == 1
	return nil
}

func (r poolerReader) ask(ctx context.Context, dial postgres.Dial) (postgres.PoolerConfig, []string, error) {
	dsn, err := cluster.SecretValue(ctx, r.in.Client.Kubernetes, r.in.namespace(), r.declared.Admin, r.in.Getenv)
	if err != nil {
		return postgres.PoolerConfig{}, nil, err
	}
	via := release.ViaDirect
	if dial != nil {
		via = release.ViaPortForward
	}
	target, err := postgres.NewTarget(r.database, dsn, via, dial)
	if err != nil {
		return postgres.PoolerConfig{}, nil, err
	}
	return postgres.ReadPooler(ctx, target)
}
