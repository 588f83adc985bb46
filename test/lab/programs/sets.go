package programs

// version is where the Kubernetes programs keep the version they tell.
const version = "k8s.io/component-base/version"

// Set is a group of programs that one Go module builds, or, without any, files
// of the modules that it requires.
type Set struct {
	// Folder is the module's folder beside this file.
	Folder string
	// Tags and Flags are those of the Go linker and compiler.
	Tags, Flags string
	// Programs are the commands to build.
	Programs []Program
	// Files are put beside the programs.
	Files []Files
}

// Program is one command to build.
type Program struct {
	// Name is the file's name.
	Name string
	// Package is the import path of its main package.
	Package string
	// Takes says how long a first build takes on two cores.
	Takes string
}

// Files are some files of a Go module that a set builds from, as they are.
type Files struct {
	// Module is its path; the set's go.mod says which version.
	Module string
	// Pattern chooses the files, as [path/filepath.Match] does.
	Pattern string
}

// Cluster returns what the programs of a cluster are built from.
func Cluster() []Set {
	return []Set{
		{
			Folder: "kubernetes",
			Flags:  "-s -w -X " + version + ".gitVersion=v1.36.3 -X " + version + ".gitMajor=1 -X " + version + ".gitMinor=36",
			Programs: []Program{
				{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "about 8 minutes"},
				{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", "about 3 minutes"},
				{"kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", "about a minute"},
				{"kubelet", "k8s.io/kubernetes/cmd/kubelet", "about a minute"},
				{"kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy", "about a minute"},
				{"kubectl", "k8s.io/kubernetes/cmd/kubectl", "about a minute"},
			},
		},
		{
			Folder:   "etcd",
			Flags:    "-s -w",
			Programs: []Program{{"etcd", "go.etcd.io/etcd/server/v3", "about a minute"}},
		},
		{
			Folder: "containerd",
			Tags:   "no_btrfs no_zfs no_devmapper",
			Flags:  "-s -w",
			Programs: []Program{
				{"containerd", "github.com/containerd/containerd/v2/cmd/containerd", "about a minute"},
				{"containerd-shim-runc-v2", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2", "seconds"},
				{"ctr", "github.com/containerd/containerd/v2/cmd/ctr", "seconds"},
			},
		},
		{
			Folder:   "coredns",
			Flags:    "-s -w",
			Programs: []Program{{"coredns", ".", "about a minute"}},
		},
	}
}

// Loki returns what a store of logs is built from.
func Loki() Set {
	return Set{
		Folder:   "loki",
		Flags:    "-s -w",
		Programs: []Program{{"loki", "github.com/grafana/loki/v3/cmd/loki", "about 6 minutes"}},
	}
}
