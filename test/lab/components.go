package lab

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/network"
)

// Component is one of the cluster's own programs.
type Component string

// The programs of a cluster, by their usual names.
const (
	Etcd              Component = "etcd"
	APIServer         Component = "kube-apiserver"
	ControllerManager Component = "kube-controller-manager"
	Scheduler         Component = "kube-scheduler"
	Kubelet           Component = "kubelet"
	KubeProxy         Component = "kube-proxy"
	Containerd        Component = "containerd"
	CoreDNS           Component = "coredns"
)

// Components lists all of them in the order in which they start.
func Components() []Component {
	return []Component{Etcd, Containerd, APIServer, ControllerManager, Scheduler, Kubelet, KubeProxy, CoreDNS}
}

const (
	// nodeName is what the cluster's only node is called.
	nodeName = "node"
	// server is the API server's address inside the lab.
	server = "https://" + network.Node + ":6443"
	// etcdAddress is etcd's address inside the lab.
	etcdAddress = "http://127.0.0.1:2379"
)

// arguments are a component's flags. Rates are raised where a default would
// only make a test wait.
func (l *Lab) arguments(component Component, options Options) []string {
	file := l.layout.file
	switch component {
	case Etcd:
		return []string{
			"--data-dir=" + file("etcd"), "--log-level=warn",
			"--listen-client-urls=" + etcdAddress, "--advertise-client-urls=" + etcdAddress,
			"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
			"--initial-cluster=default=http://127.0.0.1:2380",
			// A lab's data is worth nothing after a power cut.
			"--unsafe-no-fsync",
		}
	case Containerd:
		return []string{"--config=" + file("containerd.toml"), "--log-level=warn"}
	case APIServer:
		return l.serverArguments(options)
	case ControllerManager:
		return []string{
			"--v=1", "--kubeconfig=" + file("kube-controller-manager.kubeconfig"), "--leader-elect=false",
			"--service-account-private-key-file=" + file("serviceaccount.key"), "--root-ca-file=" + file("server.crt"),
			"--node-monitor-period=2s", "--kube-api-qps=200", "--kube-api-burst=400", "--bind-address=127.0.0.1",
			"--flex-volume-plugin-dir=" + file("volume-plugins"),
		}
	case Scheduler:
		return []string{"--v=1", "--config=" + file("scheduler.yaml"), "--bind-address=127.0.0.1"}
	case Kubelet:
		return []string{
			"--v=1", "--config=" + file("kubelet.yaml"), "--kubeconfig=" + file("kubelet.kubeconfig"),
			"--hostname-override=" + nodeName, "--node-ip=" + network.Node, "--cert-dir=" + file("kubelet-certificates"),
		}
	case KubeProxy:
		return []string{"--v=1", "--config=" + file("kube-proxy.yaml")}
	case CoreDNS:
		return []string{"-conf", file("Corefile")}
	default:
		return nil
	}
}

// serverArguments are the API server's flags.
func (l *Lab) serverArguments(options Options) []string {
	file := l.layout.file
	arguments := []string{
		"--v=1", "--etcd-servers=" + etcdAddress, "--advertise-address=" + network.Node, "--secure-port=6443",
		"--service-cluster-ip-range=" + network.Services, "--authorization-mode=Node,RBAC",
		"--token-auth-file=" + file("tokens.csv"), "--allow-privileged", "--authentication-config=" + file(authentication),
		"--tls-cert-file=" + file("server.crt"), "--tls-private-key-file=" + file("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + file("serviceaccount.key"),
		"--service-account-key-file=" + file("serviceaccount.key"),
		// Else logs and port-forward look the node's name up in DNS.
		"--kubelet-preferred-address-types=InternalIP",
	}
	if options.Audit {
		arguments = append(arguments, "--audit-policy-file="+file("audit.yaml"), "--audit-log-path="+l.AuditLog(), "--audit-log-mode=blocking",
			// One file, in MB, however long a soak takes: a reader need not look for the others.
			"--audit-log-maxsize=20000")
	}
	return arguments
}

// private reports whether a component makes mounts, and so runs in the lab's
// mount namespace.
func (c Component) private() bool { return c == Containerd || c == Kubelet }
