package workflows

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// paths are filters for the files that a release is made of: the Release, its
// manifests and its migrations. There are none where a colour names no manifests,
// for then nobody knows what a push has changed of it.
func paths(rel *release.Release, file string) []string {
	found := []string{escape(file)}
	add := func(names []string) {
		for _, name := range names {
			for _, filter := range filters(path.Dir(file), name) {
				if !slices.Contains(found, filter) {
					found = append(found, filter)
				}
			}
		}
	}
	for _, color := range slices.Sorted(maps.Keys(rel.Spec.Colors)) {
		manifests := rel.Spec.Colors[color].Manifests
		if len(manifests) == 0 {
			return nil
		}
		add(manifests)
	}
	for _, database := range rel.Spec.Databases {
		if database.Migrations != nil {
			add(database.Migrations.Paths)
		}
	}
	return found
}

// filters are those for a file or a directory that a Release in a folder names. One
// that lies outside of the repository has none: no push changes it.
func filters(folder, name string) []string {
	clean := path.Join(folder, name)
	below := escape(clean) + "/**"
	switch {
	case path.IsAbs(name), clean == "..", strings.HasPrefix(clean, "../"):
		return nil
	case clean == ".":
		return []string{"**"}
	case strings.HasSuffix(name, "/"):
		return []string{below}
	case slices.Contains([]string{".yaml", ".yml", ".json", ".sql"}, path.Ext(clean)):
		return []string{escape(clean)}
	}
	return []string{escape(clean), below} // whether it is a directory, its name doesn't tell
}

// escape is a path as a filter that means it alone.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "+", `\+`, "[", `\[`, "]", `\]`, "!", `\!`).Replace(name)
}
