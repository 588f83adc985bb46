package workflows

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// paths are filters for the files that a release is made of: the Release, its
// manifests, its migrations, and what links lead over from there. There are none where
// nobody knows what a push has changed of it: where a colour names no manifests, or none
// in the repository, and where links could not be followed.
func paths(rel *release.Release, options Options) []string {
	if options.Unfiltered {
		return nil
	}
	var found []string
	add := func(more ...string) {
		for _, filter := range more {
			within := func(known string) bool {
				directory, is := strings.CutSuffix(known, "**")
				return known == filter || is && strings.HasPrefix(filter, directory)
			}
			if !slices.ContainsFunc(found, within) {
				found = append(found, filter)
			}
		}
	}
	add(escape(options.File))
	folder := path.Dir(options.File)
	for _, color := range slices.Sorted(maps.Keys(rel.Spec.Colors)) {
		seen := false
		for _, name := range rel.Spec.Colors[color].Manifests {
			its := filters(folder, name)
			add(its...)
			seen = seen || len(its) > 0
		}
		if !seen {
			return nil
		}
	}
	for _, database := range rel.Spec.Databases {
		if database.Migrations == nil {
			continue
		}
		for _, name := range database.Migrations.Paths {
			add(filters(folder, name)...)
		}
	}
	for _, linked := range options.Linked {
		if directory, is := strings.CutSuffix(linked, "/"); is {
			add(escape(directory) + "/**")
		} else {
			add(escape(linked))
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

// escape is a path, or the name of a branch, as a filter that means it alone.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "+", `\+`, "[", `\[`, "]", `\]`, "!", `\!`).Replace(name)
}
