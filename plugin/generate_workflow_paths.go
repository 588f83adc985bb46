package plugin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// mostLinks bounds how many links one path is followed over.
const mostLinks = 255

// linkedPaths are the paths in a repository that links lead over from what a release is
// made of, each link and its end, with slashes; that of a directory ends with one. A push
// may change those alone. It is an error that a file is not at hand, or that a link leads
// elsewhere. tree is the root of the repository, and file the path of the Release in it.
func linkedPaths(tree, file string, rel *release.Release) ([]string, error) {
	links := &linkFollower{tree: tree}
	files, err := filesOfRelease(tree, filepath.Join(tree, filepath.FromSlash(file)), rel)
	if err != nil {
		return nil, err
	}
	for _, each := range files {
		if err := links.follow(each); err != nil {
			return nil, err
		}
	}
	return links.found, nil
}

// filesOfRelease are the files and directories in a repository that a release is made
// of, and the manifests in the latter. Among migrations there are no links.
func filesOfRelease(tree, document string, rel *release.Release) ([]string, error) {
	files := []string{document}
	add := func(names []string, within func(path string) ([]string, error)) error {
		for _, name := range names {
			path := filepath.Join(filepath.Dir(document), name)
			if below, err := filepath.Rel(tree, path); filepath.IsAbs(name) || err != nil || !filepath.IsLocal(below) {
				continue // no push changes it
			}
			found, err := within(path)
			if err != nil {
				return err
			}
			files = append(append(files, path), found...)
		}
		return nil
	}
	for _, color := range rel.Spec.ColorNames() {
		if err := add(rel.Spec.Colors[color].Manifests, cluster.ManifestFiles); err != nil {
			return nil, err
		}
	}
	for _, database := range rel.Spec.Databases {
		if database.Migrations == nil {
			continue
		}
		if err := add(database.Migrations.Paths, func(string) ([]string, error) { return nil, nil }); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// linkFollower collects what links in a repository lead over.
type linkFollower struct {
	tree  string
	found []string
}

// follow adds the links on the way to a path, and its end where there are any.
func (l *linkFollower) follow(path string) error {
	way := path
	for range mostLinks {
		link, err := l.firstLink(way)
		if err != nil {
			return fmt.Errorf("follow %s: %w", path, err)
		}
		if link == "" {
			return l.end(path, way)
		}
		l.add(link)
		target, err := os.Readlink(link)
		if err != nil {
			return fmt.Errorf("follow %s: %w", path, err)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		way = filepath.Join(target, strings.TrimPrefix(way, link))
	}
	return fmt.Errorf("follow %s: more than %d links", path, mostLinks)
}

// firstLink is the first link on the way from the root of the repository, "" where
// there is none.
func (l *linkFollower) firstLink(way string) (string, error) {
	names, err := filepath.Rel(l.tree, way)
	if err != nil || !filepath.IsLocal(names) {
		return "", fmt.Errorf("it %w the repository", release.ErrOutside)
	}
	at := l.tree
	for _, name := range strings.Split(names, string(filepath.Separator)) {
		at = filepath.Join(at, name)
		about, err := os.Lstat(at)
		if err != nil {
			return "", err
		}
		if about.Mode()&os.ModeSymlink != 0 {
			return at, nil
		}
	}
	return "", nil
}

// end adds where the links on the way to a path have led.
func (l *linkFollower) end(path, real string) error {
	if real == path {
		return nil
	}
	about, err := os.Stat(path)
	if err != nil {
		return err
	}
	if same, err := os.Lstat(real); err != nil || !os.SameFile(about, same) {
		return fmt.Errorf("follow %s: its links can't be told apart", path)
	}
	l.add(real)
	if about.IsDir() {
		l.found[len(l.found)-1] += "/"
	}
	return nil
}

// add adds a path in the repository.
func (l *linkFollower) add(path string) {
	name, err := filepath.Rel(l.tree, path)
	if err == nil {
		l.found = append(l.found, filepath.ToSlash(name))
	}
}
