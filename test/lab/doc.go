// Package lab runs a real Kubernetes cluster on one Linux machine, for tests
// and for the demo: no container engine, no registry, no network.
//
// A lab is etcd, the API server with RBAC, controller manager, scheduler,
// kubelet, kube-proxy, containerd and cluster DNS, as processes of this
// machine. Beside them, as pods, it runs what a real release is watched with:
// Prometheus, Alertmanager, PostgreSQL and its exporter. Nothing is simulated,
// so what a test sees here is what a user sees there.
//
// # What keeps labs apart
//
// Every lab has a network namespace, so all of them use the same addresses and
// no traffic leaves the machine; a private mount namespace, so that paths
// which the programs insist on (/var/lib/kubelet, /var/log/pods) belong to
// each; a cgroup, which knows every process of every container; and a folder.
// Taking a lab down means ending what is in these, whoever started it and
// however it failed. It is therefore safe to repeat, and safe after a crash.
//
// # In a test
//
// Cluster addresses exist only inside the lab's network namespace. [Main] is
// the body of a TestMain: it starts a lab, runs the test binary once more
// inside it, and takes the lab down whatever happens. Tests then say
// [Current] and use the cluster like any other:
//
//	func TestMain(m *testing.M) { os.Exit(lab.Main(m, lab.Options{})) }
//
// With BLUEGREEN_LAB=NAME in the environment the tests use the lab of that
// name and leave it up, which makes for a fast loop while developing.
package lab
