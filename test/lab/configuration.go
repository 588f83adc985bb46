package lab

import (
	"embed"
	"fmt"
	"os"
	"path"
	"strings"
	"text/template"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/network"
)

// templates are the components' configuration files.
//
//go:embed config
var templates embed.FS

// pauseImage is the image of the container that holds a pod's namespaces.
const pauseImage = "bluegreen.dev/pause:lab"

// settings is what the templates may name.
type settings struct {
	State, ContainerdSocket, PauseImage, Cgroup, NodeName string
	Node, DNS, Pods                                       string
}

// settings returns the lab's own.
func (l layout) settings() settings {
	return settings{
		State:            l.folder(),
		ContainerdSocket: l.file("containerd.sock"),
		PauseImage:       pauseImage,
		Cgroup:           l.identity(),
		NodeName:         nodeName,
		Node:             network.Node,
		DNS:              network.DNS,
		Pods:             network.Pods,
	}
}

// writeConfiguration writes every configuration file to its place.
func (l layout) writeConfiguration() error {
	entries, err := templates.ReadDir("config")
	if err != nil {
		return fmt.Errorf("read configuration templates: %w", err)
	}
	for _, entry := range entries {
		target := l.file(entry.Name())
		if strings.HasSuffix(entry.Name(), ".conflist") {
			target = l.file("cni", entry.Name())
		}
		if err := l.render(entry.Name(), target); err != nil {
			return err
		}
	}
	return nil
}

// render writes one template to its place.
func (l layout) render(name, target string) error {
	parsed, err := template.ParseFS(templates, path.Join("config", name))
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	var text strings.Builder
	if err := parsed.Option("missingkey=error").Execute(&text, l.settings()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(target, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
