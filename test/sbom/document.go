package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
)

// bill is a document of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// document is the bill of an archive: its programs, and what each is linked with,
// the standard library among it.
func document(archive string, programs map[string]*debug.BuildInfo) ([]byte, error) {
	whole := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{component{Type: "application", Ref: archive, Name: archive}}}
	modules := map[string]component{}
	contains := dependency{Ref: archive}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		info := programs[name]
		whole.Components = append(whole.Components, component{Type: "application", Ref: name, Name: name, Version: info.Main.Version, PURL: purl(info.Main)})
		contains.DependsOn = append(contains.DependsOn, name)
		linked := dependency{Ref: name}
		for _, module := range linkedWith(info) {
			modules[purl(module)] = component{Type: "library", Ref: purl(module), Name: module.Path, Version: module.Version, PURL: purl(module)}
			linked.DependsOn = append(linked.DependsOn, purl(module))
		}
		slices.Sort(linked.DependsOn)
		whole.Dependencies = append(whole.Dependencies, linked)
	}
	whole.Dependencies = append(whole.Dependencies, contains)
	for _, reference := range slices.Sorted(maps.Keys(modules)) {
		whole.Components = append(whole.Components, modules[reference])
	}
	text, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write bill of %s: %w", archive, err)
	}
	return append(text, '\n'), nil
}

// linkedWith are the modules in a program, those that took another's place instead
// of that, and the standard library.
func linkedWith(info *debug.BuildInfo) []debug.Module {
	modules := []debug.Module{{Path: "stdlib", Version: info.GoVersion}}
	for _, module := range info.Deps {
		modules = append(modules, *cmp.Or(module.Replace, module))
	}
	return modules
}

// purl is the package URL of a module (https://github.com/package-url/purl-spec).
func purl(module debug.Module) string { return "pkg:golang/" + module.Path + "@" + module.Version }
