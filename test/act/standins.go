package act

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/action"
)

//go:embed standins
var standins embed.FS

// version is the release that is played.
const version = "v0.0.0"

// The actions that workflows may use beside the checkout, which act does itself.
const (
	ours           = "bluegreen-dev/kubectl-bluegreen"
	uploadArtifact = "actions/upload-artifact"
	codeScanning   = "github/codeql-action"
)

// layOut makes a folder for each of the actions, and returns the archive of the
// release that ours is pinned to.
func (o Options) layOut() (archive []byte, err error) {
	for action, files := range map[string]map[string]string{
		uploadArtifact: {"": "upload-artifact"},
		codeScanning:   {"upload-sarif": "upload-sarif"},
	} {
		for within, from := range files {
			for _, name := range []string{"action.yml", "main.js"} {
				text, err := standins.ReadFile("standins/" + from + "/" + name)
				if err != nil {
					return nil, err
				}
				if err := write(filepath.Join(o.action(action), within, name), text); err != nil {
					return nil, err
				}
			}
		}
	}
	return o.layOutOurs()
}

// layOutOurs makes a folder with the Action as it is, pinned to the engine.
func (o Options) layOutOurs() ([]byte, error) {
	folder := o.action(ours)
	if err := os.CopyFS(filepath.Join(folder, "action", "entry"), os.DirFS(filepath.Join(o.Source, "action", "entry"))); err != nil {
		return nil, fmt.Errorf("copy the entry: %w", err)
	}
	metadata, err := os.ReadFile(filepath.Join(o.Source, "action.yml"))
	if err != nil {
		return nil, fmt.Errorf("read the Action: %w", err)
	}
	if err := write(filepath.Join(folder, "action.yml"), metadata); err != nil {
		return nil, err
	}
	engine, err := os.ReadFile(o.Engine)
	if err != nil {
		return nil, fmt.Errorf("read the engine: %w", err)
	}
	archive, err := action.Pack(runtime.GOOS, map[string]string{"bluegreen-action": string(engine)})
	if err != nil {
		return nil, fmt.Errorf("pack the engine: %w", err)
	}
	pins, err := action.Pins(version, runtime.GOOS+"_"+runtime.GOARCH, archive, engine)
	if err != nil {
		return nil, err
	}
	return archive, write(filepath.Join(folder, "action", "archives.json"), pins)
}

// action is the folder of an action.
func (o Options) action(repository string) string {
	return filepath.Join(o.Folder, "actions", filepath.FromSlash(repository))
}

// uses is how a workflow names an action of others.
var uses = regexp.MustCompile(`(?m)^[ -]*uses: +([\w.-]+/[\w.-]+)(?:/[\w./-]+)?@(\w+)`)

// replaced are act's flags by which what a workflow uses is taken from the folders.
func (o Options) replaced(workflow []byte) ([]string, error) {
	var flags []string
	for _, match := range uses.FindAllStringSubmatch(string(workflow), -1) {
		repository, ref := match[1], match[2]
		if repository == "actions/checkout" {
			continue
		}
		if _, err := os.Stat(o.action(repository)); err != nil {
			return nil, fmt.Errorf("find action %s: nothing plays it here: %w", repository, err)
		}
		flags = append(flags, "--local-repository="+repository+"@"+ref+"="+o.action(repository))
	}
	return flags, nil
}

func archiveName() string { return "/" + version + "/" + action.Name(runtime.GOOS, runtime.GOARCH) }

// write writes a file, and the folders that it stands in.
func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
