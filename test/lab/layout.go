package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/cgroup"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/network"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// root holds a folder for each lab. Paths below it stay short, since a unix
// socket's may not be longer than 107 bytes.
const root = "/var/lib/bluegreen-lab"

// DefaultName is the name of a lab that is given none.
const DefaultName = "lab"

// nameFormat is what a lab may be called: it becomes part of paths, of a
// namespace's name and of a cgroup's.
var nameFormat = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

// layout says where a lab's things are.
type layout struct{ name string }

// newLayout checks the name.
func newLayout(name string) (layout, error) {
	if !nameFormat.MatchString(name) {
		return layout{}, fmt.Errorf("name lab %q: use up to 20 lower-case letters, digits and dashes", name)
	}
	return layout{name: name}, nil
}

// folder holds all that the lab keeps on disk.
func (l layout) folder() string { return filepath.Join(root, l.name) }

// file is a path in the lab's folder.
func (l layout) file(elements ...string) string {
	return filepath.Join(append([]string{l.folder()}, elements...)...)
}

// log is where a component's output goes.
func (l layout) log(component Component) string {
	return l.file("logs", string(component)+".log")
}

// identity names the lab's network namespace and its cgroup.
func (l layout) identity() string { return "bluegreen-" + l.name }

// namespace is the lab's network namespace.
func (l layout) namespace() network.Namespace {
	return network.Namespace{Name: l.identity()}
}

// cgroup holds the processes of the lab's containers.
func (l layout) cgroup() cgroup.Group { return cgroup.Group{Name: l.identity()} }

// exists reports whether anything of the lab is there, were it a leftover.
func (l layout) exists() bool {
	if _, err := os.Stat(l.folder()); err == nil {
		return true
	}
	return l.namespace().Exists() || len(l.cgroup().Folders()) > 0
}

// lockFile makes those who start and stop the lab take turns. It outlives the
// lab, hence its place.
func (l layout) lockFile() (string, error) {
	cache, err := programs.Cache()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "locks", l.name), nil
}

// Names lists the labs that have left anything in this machine's lab folder,
// up or not.
func Names() ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("list labs: %w", err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}
